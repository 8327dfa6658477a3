// `npm start`: sets up and builds what is missing, then holds a keyless conversation. `npm start -- --help` lists the options.

import { join } from "node:path";
import { devBuild } from "./dev.mjs";
import { foreground, main, root } from "./steps.mjs";

await main(async () => {
  await devBuild();
  const cli = join(root, "dist-dev/cli.js");
  return foreground(process.execPath, [cli, "chat", "--demo", ...process.argv.slice(2)]);
});
