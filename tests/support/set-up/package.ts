// Packs the package and installs it once, as a user does. It has no dependencies, so this needs no
// network.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder with the packed file and its installation. */
    installation: string;
  }
}

export default function setUp(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-installation-"));
  const npm = (args: string[], cwd: string) =>
    execFileSync("npm", args, {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
  const packed = npm(
    ["pack", "--json", "--ignore-scripts", "--pack-destination", folder],
    project.config.root,
  );
  const [{ filename }] = JSON.parse(packed);
  writeFileSync(join(folder, "package.json"), '{ "name": "user", "private": true, "type": "module" }');
  const quiet = ["--offline", "--no-audit", "--no-fund", "--no-package-lock"];
  npm(["install", ...quiet, join(folder, filename)], folder);
  project.provide("installation", folder);
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
