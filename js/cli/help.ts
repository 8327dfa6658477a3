import { readFileSync } from "node:fs";
import { ignoreClosedPipes } from "./exit.js";
import { firstSteps } from "./first-steps.js";

/** Prints the help of the program, which the build has written to a file. */
export function printHelp(): void {
  ignoreClosedPipes();
  console.log(readFileSync(new URL("cli/help.txt", import.meta.url), "utf8") + firstSteps());
}
