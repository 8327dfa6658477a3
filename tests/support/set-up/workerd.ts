// Installs workerd.

import type { TestProject } from "vitest/node";
import { installEngines } from "./engines.js";

export default function setUp({ config }: TestProject): void {
  installEngines(config.root, "workerd");
}
