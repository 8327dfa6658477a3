// Runs the suite in Node, Deno and Bun: what it is told comes as an argument, what came of it goes to stdout.

import { runSuite } from "./suite.mjs";

const { settings, names } = JSON.parse(process.argv[2]);
console.log(JSON.stringify(await runSuite(settings, names)));
