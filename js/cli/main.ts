#!/usr/bin/env node
import { readFileSync } from "node:fs";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const [option, ...rest] = process.argv.slice(2);
// The version alone needs none of the commands.
if (rest.length === 0 && (option === "--version" || option === "-V")) {
  console.log(version);
} else {
  const { runProgram } = await import("./program.js");
  await runProgram(version);
}
