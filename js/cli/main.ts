#!/usr/bin/env node
// The build makes CommonJS of this file and of the help: Node starts it without its loader of ES modules.

import { readFileSync } from "node:fs";
import { printHelp } from "./help.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const [option = "--help", ...rest] = process.argv.slice(2);
// The version and the help need none of the commands, nor the library that reads their options.
if (rest.length === 0 && (option === "--version" || option === "-V")) {
  console.log(version);
} else if (rest.length === 0 && (option === "--help" || option === "-h")) {
  printHelp();
} else {
  void import("./program.js").then(({ runProgram }) => runProgram(version));
}
