// Tests deadlines in other runtimes, whose garbage collectors and signals differ.

import { join } from "node:path";
import { describe } from "vitest";
import { testDeadlines } from "../support/deadlines.js";
import { ENGINES } from "./support.js";

describe.each([
  ["Node 20", "node-20/bin/node", ["--expose-gc"]],
  ["newest Node", "node/bin/node", ["--expose-gc"]],
  ["Deno", ".bin/deno", ["run", "--no-prompt", "-A", "--v8-flags=--expose-gc"]],
  ["Bun", ".bin/bun", []],
])("%s", (_name, command, args) => testDeadlines(join(ENGINES, command), args));
