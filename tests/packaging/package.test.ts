// The package as users get it: packed, installed into an empty folder, imported, required, typed.

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { brotliCompressSync, inflateRawSync } from "node:zlib";
import { startEmulator } from "copilot-keyless/emulator";
import { expect, test } from "vitest";
import { newcomer, root, run } from "../cli/support.js";
import { installed, linkPackages, packageFiles } from "./support.js";

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
      path.replace(/(chunk|net-bindings)-[A-Z0-9]+/, "$1-*").replace(/^dist\/types\/.*/, "dist/types/*"),
    ),
  );
  expect([...shape].sort()).toEqual([
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "dist/THIRD-PARTY-LICENSES.txt",
    "dist/azure-functions.js",
    "dist/chunks/chunk-*.js",
    "dist/chunks/net-bindings-*.js",
    "dist/cli.js",
    "dist/core.js",
    "dist/direct.js",
    "dist/edge.js",
    "dist/emulator.js",
    "dist/index.js",
    "dist/types/*",
    "docs/bench.md",
    "docs/design.md",
    "docs/errors.md",
    "docs/scale.md",
    "package.json",
  ]);
  const bytes = packageFiles(folder).reduce((sum, path) => sum + statSync(join(home, path)).size, 0);
  expect(bytes).toBeLessThan(1_000_000);
  const { dependencies } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  expect(dependencies).toBeUndefined();
});

/** The WebAssembly modules that the package holds, deflated and in base64. */
function inlinedModules(): { path: string; bytes: Buffer<ArrayBuffer> }[] {
  return packageFiles(folder)
    .filter((path) => path.endsWith(".js"))
    .flatMap((path) =>
      [...readFileSync(join(home, path), "utf8").matchAll(/"([A-Za-z0-9+/]{20000,}={0,2})"/g)].map(
        ([, base64]) => ({ path, bytes: inflateRawSync(Buffer.from(base64 as string, "base64")) }),
      ),
    );
}

/** The types of Node leave it out. */
const { Module } = (
  globalThis as unknown as {
    WebAssembly: {
      Module: { new (bytes: Uint8Array): object; imports(module: object): { module: string }[] };
    };
  }
).WebAssembly;

test("the three modules are inlined, once each, and hold nothing of the machine that built them", () => {
  const modules = inlinedModules();
  expect(modules.map(({ path }) => path.replace(/-[A-Z0-9]+\.js/, "")).toSorted()).toEqual([
    "dist/chunks/chunk",
    "dist/chunks/chunk",
    "dist/chunks/net-bindings",
  ]);
  for (const { bytes } of modules) {
    const imports = Module.imports(new Module(bytes));
    expect(imports.length).toBeGreaterThan(0);
    expect(new Set(imports.map(({ module }) => module))).toEqual(new Set(["./copilot_keyless_bg.js"]));
    const text = bytes.toString("latin1");
    expect(text).toContain("src/");
    expect(text).not.toMatch(/\/(?:root|home|Users|tmp|work)\/|[A-Z]:\\|\.cargo/);
    expect(text).not.toContain(root);
  }
});

test("all unpack where there is no node:zlib", async () => {
  const result = await node(
    "--input-type=module",
    `process.getBuiltinModule = undefined;
     const { parseEndpoint, parseTokenResponse } = await import("copilot-keyless/core");
     const { probe } = await import("copilot-keyless/direct");
     const { code } = await probe({ endpoint: "https://nothing.invalid/v1" });
     const { token } = parseTokenResponse({ token: "t", expires_in: 60 }, { requestedAt: 0 });
     console.log(parseEndpoint("myres.openai.azure.com").kind, code, token);`,
  );
  expect(result.stderr).toBe("");
  expect(result.stdout.trim()).toBe("azure-openai network t");
});

test("the core and the network module are within their budgets, and have no Unicode tables", () => {
  const sizes = inlinedModules().map(({ bytes }) => [bytes.length, brotliCompressSync(bytes).length]);
  console.log(`modules, bytes and in brotli: ${sizes.map((size) => size.join(" and ")).join(", ")}`);
  const [core, net] = sizes.map(([, brotli]) => brotli as number).toSorted((one, other) => one - other);
  expect(core).toBeLessThan(45_000);
  expect(net).toBeLessThan(110_000);
  expect(readFileSync(join(root, "Cargo.lock"), "utf8")).not.toMatch(/^name = "icu/m);
});

test("the network module is loaded at the first probe, not before", async () => {
  const hooks = `import { writeSync } from "node:fs";
    export function load(url, context, next) {
      if (url.includes("copilot-keyless/dist")) writeSync(1, url + "\\n");
      return next(url, context);
    }`;
  const result = await node(
    "--input-type=module",
    `import { register } from "node:module";
     import { writeSync } from "node:fs";
     register("data:text/javascript," + encodeURIComponent(${JSON.stringify(hooks)}));
     await import("copilot-keyless");
     await import("copilot-keyless/core");
     const { probe } = await import("copilot-keyless/direct");
     writeSync(1, "imported\\n");
     const { code } = await probe({ endpoint: "https://nothing.invalid/v1" });
     writeSync(1, "probed: " + code + "\\n");`,
  );
  expect(result.stderr).toBe("");
  const [before, after] = result.stdout.split("imported\n");
  expect(before).toContain("dist/direct.js");
  expect(before).not.toContain("net-bindings");
  expect(after).toMatch(/^\S+\/dist\/chunks\/net-bindings-\w+\.js\nprobed: network\n$/);
});

test("imports without @azure/identity and the Copilot SDK, and says what is missing when one is needed", async () => {
  const result = await node(
    "--input-type=module",
    `import { createFoundryProvider, ManagedIdentityCopilotAgent, parseEndpoint } from "copilot-keyless";
     import "copilot-keyless/core";
     import "copilot-keyless/azure-functions";
     import "copilot-keyless/direct";
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

test('a conversation without @azure/identity, by credential: "direct"', async () => {
  linkPackages(folder, ["@github"]);
  await using emulator = await startEmulator({ chunkDelayMs: 0 });
  const program = `import { ManagedIdentityCopilotAgent } from "copilot-keyless";
     await import("@azure/identity").then(() => process.exit(7), () => {});
     const agent = new ManagedIdentityCopilotAgent({ credential: "direct", session: { availableTools: [] } });
     console.log(await agent.chat("Without the library"));
     await agent.close();`;
  writeFileSync(join(folder, "direct.mjs"), program);
  const env = newcomer({ ...emulator.env });
  const result = await run(process.execPath, ["direct.mjs"], { env, cwd: folder });
  expect(result.stderr).toBe("");
  expect(result.stdout).toContain('"Without the library"');
  expect(emulator.counts).toMatchObject({ identity: 1, foundry: 1 });
});

test("works under require()", async () => {
  const result = await node(
    "--eval",
    `const { parseEndpoint, KeylessError } = require("copilot-keyless");
     const core = require("copilot-keyless/core");
     console.log(parseEndpoint("myres.openai.azure.com").kind, core.KeylessError === KeylessError);
     require("copilot-keyless/direct").probe({ endpoint: "https://nothing.invalid/v1" }).then(({ code }) => console.log(code));`,
  );
  expect(result.stdout.trim()).toBe("azure-openai true\nnetwork");
  expect(
    result.stderr.replace(/^\(node:\d+\) ExperimentalWarning: .*\n(\(Use `node --trace-warnings.*\n)?/, ""),
  ).toBe("");
});

test.each(["core.js", "direct.js", "edge.js"])("%s alone loads nothing of Node", (entry) => {
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(join(home, "dist", file), "utf8");
    for (const [, path] of text.matchAll(/(?:from\s*|import\s*\(?\s*)"([^"]+)"/g)) {
      expect(path).toMatch(/^\.\.?\//);
      visit(posix.join(posix.dirname(file), path as string));
    }
  };
  visit(entry);
  expect(seen.size).toBeGreaterThan(1);
});
