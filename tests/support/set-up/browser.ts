// Provides a browser and builds the page, before the browser tests begin.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { provideBrowser } from "../browser.js";

export default async function setUp({ config: { root } }: TestProject): Promise<void> {
  const vite = join(root, "node_modules/vite/bin/vite.js");
  // Vite would build a development page under the test runner's NODE_ENV.
  const env = { ...process.env, NODE_ENV: "production" };
  execFileSync(process.execPath, [vite, "build", "www", "--logLevel", "error"], { cwd: root, env });
  console.log(`Browser: ${await provideBrowser()}`);
}
