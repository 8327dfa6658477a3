// `npm run help`: lists the commands that CONTRIBUTING.md documents. `npm run tool <name>`: runs
// one of the rarer ones.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { foreground, main, root } from "./steps.mjs";

await main(async () => {
  const [name = "", ...args] = process.argv.slice(2);
  const script = join(root, "scripts", `${name}.mjs`);
  if (/^\w+$/.test(name) && existsSync(script)) return foreground(process.execPath, [script, ...args]);
  const rows = readFileSync(join(root, "CONTRIBUTING.md"), "utf8").matchAll(
    /^\| `((?:npm|bash) .*?)` \| (.*?) \|$/gm,
  );
  for (const [, command, text] of rows) console.log(`${command.padEnd(30)} ${text.replaceAll("`", "")}`);
  return name === "" ? 0 : 1;
});
