// The package as users get it: packed, installed into an empty folder, imported, required, typed.

import { readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";
import { newcomer, run } from "../cli/support.js";
import { installed, packageFiles } from "./support.js";

const folder = installed();
const home = join(folder, "node_modules/copilot-keyless");

/** Runs a line of JavaScript in the user's folder. */
function node(flag: "--eval" | "--input-type=module", code: string) {
  const args = flag === "--eval" ? ["--eval", code] : [flag, "--eval", code];
  return run(process.execPath, args, { env: newcomer(), cwd: folder });
}

test("holds what is needed and nothing else", () => {
  const shape = new Set(
    packageFiles(folder).map((path) =>
      path.replace(/chunk-[A-Z0-9]+/, "chunk-*").replace(/^dist\/types\/.*/, "dist/types/*"),
    ),
  );
  expect([...shape].sort()).toEqual([
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "dist/THIRD-PARTY-LICENSES.txt",
    "dist/chunks/chunk-*.js",
    "dist/cli.js",
    "dist/core.js",
    "dist/emulator.js",
    "dist/index.js",
    "dist/types/*",
    "docs/design.md",
    "docs/errors.md",
    "package.json",
  ]);
  const bytes = packageFiles(folder).reduce((sum, path) => sum + statSync(join(home, path)).size, 0);
  expect(bytes).toBeLessThan(1_000_000);
  const { dependencies } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  expect(dependencies).toBeUndefined();
});

test("the wasm is inlined once", () => {
  const holders = packageFiles(folder).filter(
    (path) => path.endsWith(".js") && readFileSync(join(home, path), "utf8").includes("AGFzbQ"),
  );
  expect(holders).toHaveLength(1);
});

test("imports without @azure/identity and the Copilot SDK, and says what is missing when one is needed", async () => {
  const result = await node(
    "--input-type=module",
    `import { createFoundryProvider, ManagedIdentityCopilotAgent, parseEndpoint } from "copilot-keyless";
     import "copilot-keyless/core";
     import "copilot-keyless/emulator";
     const endpoint = "https://myres.openai.azure.com";
     const codes = [parseEndpoint(endpoint).baseUrl];
     await createFoundryProvider({ endpoint }).tokens().catch((error) => codes.push(error.code));
     const agent = new ManagedIdentityCopilotAgent({ endpoint });
     await agent.chat("Hello").catch((error) => codes.push(error.code));
     await agent.close();
     console.log(codes.join(" "));`,
  );
  expect(result.stderr).toBe("");
  expect(result.stdout.trim()).toBe(
    "https://myres.openai.azure.com/openai/v1/ credential/not-installed sdk/not-installed",
  );
});

test("works under require()", async () => {
  const result = await node(
    "--eval",
    `const { parseEndpoint, KeylessError } = require("copilot-keyless");
     const core = require("copilot-keyless/core");
     console.log(parseEndpoint("myres.openai.azure.com").kind, core.KeylessError === KeylessError);`,
  );
  expect(result.stdout.trim()).toBe("azure-openai true");
  expect(
    result.stderr.replace(/^\(node:\d+\) ExperimentalWarning: .*\n(\(Use `node --trace-warnings.*\n)?/, ""),
  ).toBe("");
});

test("the core entry alone loads nothing of Node", () => {
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(join(home, "dist", file), "utf8");
    for (const [, path] of text.matchAll(/from\s*"([^"]+)"/g)) {
      expect(path).toMatch(/^\.\.?\//);
      visit(posix.join(posix.dirname(file), path as string));
    }
  };
  visit("core.js");
  expect(seen.size).toBeGreaterThan(1);
});
