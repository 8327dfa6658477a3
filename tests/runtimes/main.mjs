// Runs the suite in Node, Deno and Bun: the argument holds its settings, stdout receives its
// results.

import { runSuite } from "./suite.mjs";

const { settings, names } = JSON.parse(process.argv[2]);
console.log(JSON.stringify(await runSuite(settings, names)));
