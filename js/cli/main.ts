#!/usr/bin/env node
import { readFileSync } from "node:fs";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const [option = "--help", ...rest] = process.argv.slice(2);
// The version and the help need none of the commands, nor the library that reads their options.
if (rest.length === 0 && (option === "--version" || option === "-V")) {
  console.log(version);
} else if (rest.length === 0 && (option === "--help" || option === "-h")) {
  const { printHelp } = await import("./help.js");
  printHelp();
} else {
  const { runProgram } = await import("./program.js");
  await runProgram(version);
}
