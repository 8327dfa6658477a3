// `npm start`: sets up and builds what is missing, then holds a keyless conversation. `npm start -- --help` tells more.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { build } from "./build.mjs";
import { main, root } from "./steps.mjs";

await main(async () => {
  await build();
  const args = [join(root, "dist/cli.js"), "chat", "--demo", ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { stdio: "inherit" });
  // Ctrl-C reaches the child by itself; waiting for it lets it say goodbye.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve) => child.on("close", (code, signal) => resolve(signal ? 1 : code)));
});
