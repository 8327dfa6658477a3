// Installs workerd, the only runtime of tests/runtimes/engines that the quick tests need.

import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { installLocked } from "../install-locked.js";

export default function setUp({ config }: TestProject): void {
  installLocked(join(config.root, "tests/runtimes/engines"), "Installing workerd, once", {
    production: true,
  });
}
