// `npm run help`: lists the commands. `npm run tool <name>`: runs one of those that are rarely needed.

import { join } from "node:path";
import { foreground, main, root } from "./steps.mjs";

const COMMANDS = {
  "npm start": "holds a conversation with the embedded emulator; `npm start -- --help`",
  "npm run dev [test]": "builds after every edit of src/, crates/wasm or js/; runs a test file of tests/unit again",
  "npm test": "runs the tests; `npm run test:all` also the slow ones",
  "npm run check": "formatting, lints, types, licences, known holes; changes nothing",
  "npm run build": "builds the package into dist/",
  "npm run docs": "writes the API reference into target/api",
  "npm run www": "serves the page, with the emulator",
  "npm run bench": "measures every case beside its peers; `-- --quick`",
  "npm run release:check": "says whether this can be released",
};

const TOOLS = {
  examples: "runs the hosts of the component in examples/: `examples python` or `rust`",
  functions: "serves the Azure Functions app against the emulator",
  faults: "plays every fault of benches/faults against the agent and its peers",
  fuzz: "throws bytes at the parsers: `fuzz 60` for 60 s each",
  hostile: "serves good callers beside hostile ones: `hostile -- --seconds 60 --seed 1`",
  scale: "measures fleets and many sessions",
  soak: "20 sessions on tokens of 15 s while things fail: `soak -- --seed 4 --minutes 20`",
};

const list = (commands, indent) =>
  Object.entries(commands).map(([name, text]) => `${indent}${name.padEnd(24 - indent.length)}${text}`);

await main(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (name in TOOLS) return foreground([join(root, `scripts/${name}.mjs`), ...args]);
  console.log([...list(COMMANDS, ""), "npm run tool <name>", ...list(TOOLS, "  ")].join("\n"));
  if (name === undefined) return;
  console.error(`\nThere is no tool "${name}"`);
  return 1;
});
