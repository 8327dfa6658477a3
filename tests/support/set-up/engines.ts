// Installs the runtimes of tests/runtimes/engines, which are large and only needed there.

import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { installLocked } from "../install-locked.js";

export default function setUp({ config }: TestProject): void {
  installLocked(
    join(config.root, "tests/runtimes/engines"),
    "Installing Node, Deno, Bun and workerd: half a gigabyte, once",
  );
}
