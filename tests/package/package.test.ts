// Tests the package as users get it: packed, installed into an empty folder, imported and required.

import { readFileSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { startEmulator } from "copilot-keyless/emulator";
import { expect, test } from "vitest";
import { newcomer, run } from "../support/process.js";
import { installed, linkPackages } from "./support.js";

const folder = installed();
const home = join(folder, "node_modules/copilot-keyless");

/** Runs a line of JavaScript in the user's folder. */
function node(flag: "--eval" | "--input-type=module", code: string) {
  const args = flag === "--eval" ? ["--eval", code] : [flag, "--eval", code];
  return run(process.execPath, args, { env: newcomer(), cwd: folder });
}

test("the entry for browsers and workerd offers what the main one does", async () => {
  const result = await node(
    "--input-type=module",
    `const names = async (entry) => Object.keys(await import(entry)).sort().join();
     console.log((await names("copilot-keyless")) === (await names("./node_modules/copilot-keyless/dist/web.js")));`,
  );
  expect(result.stdout.trim()).toBe("true");
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

test("imports without @azure/identity and the Copilot SDK, and says what is missing when one is needed", async () => {
  const result = await node(
    "--input-type=module",
    `import { createFoundryProvider, FoundryAgent, parseEndpoint } from "copilot-keyless";
     import "copilot-keyless/core";
     import "copilot-keyless/azure-functions";
     import "copilot-keyless/http";
     import "copilot-keyless/direct";
     import "copilot-keyless/emulator";
     const endpoint = "https://myres.openai.azure.com";
     const codes = [parseEndpoint(endpoint).baseUrl];
     await createFoundryProvider({ endpoint }).tokens().catch((error) => codes.push(error.code));
     const agent = new FoundryAgent({ endpoint });
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
  const program = `import { FoundryAgent } from "copilot-keyless";
     await import("@azure/identity").then(() => process.exit(7), () => {});
     const agent = new FoundryAgent({ credential: "direct", session: { availableTools: [] } });
     console.log(await agent.chat("Without the library"));
     await agent.close();`;
  writeFileSync(join(folder, "direct.mjs"), program);
  const env = newcomer({ ...emulator.env });
  const result = await run(process.execPath, ["direct.mjs"], { env, cwd: folder });
  expect(result.stderr).toBe("");
  expect(result.stdout).toContain('"Without the library"');
  expect(emulator.counts).toMatchObject({ identity: 1, foundry: 1 });
});

/** Node 20 warns that require() of ES modules is experimental. No other output is allowed. */
const NEW = /^\(node:\d+\) ExperimentalWarning: .*\n(\(Use `node --trace-warnings.*\n)?/;

test("require() and import give the same, for every entry point", async () => {
  linkPackages(folder, ["@opentelemetry"]);
  const { exports } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  // The component is a file to read, not a JavaScript module.
  const names = Object.keys(exports)
    .filter((name) => name !== "./component.wasm")
    .map((name) => name.replace(/^\./, "copilot-keyless"));
  expect(names.length).toBeGreaterThan(6);
  const result = await node(
    "--eval",
    `(async () => {
       for (const name of ${JSON.stringify(names)}) {
         const required = require(name);
         const json = name.endsWith(".json");
         const imported = await (json ? import(name, { with: { type: "json" } }) : import(name));
         const same = Object.keys(required).every((key) => required[key] === (json ? imported.default : imported)[key]);
         console.log(name, Object.keys(required).length > 0 && same);
       }
     })();`,
  );
  expect(result.stdout.trim().split("\n")).toEqual(names.map((name) => `${name} true`));
  expect(
    result.stderr.replace(/^\(node:\d+\) ExperimentalWarning: Importing JSON.*\n/m, "").replace(NEW, ""),
  ).toBe("");
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
  expect(result.stderr.replace(NEW, "")).toBe("");
});

const NOTHING = /^\.\.?\//;
/** Also allowed: the optional credential package, and workerd's own module. */
const WEB = /^(\.\.?\/|@azure\/identity$|cloudflare:workers$)/;

test.each([
  ["core.js", NOTHING],
  ["direct.js", NOTHING],
  ["edge.js", NOTHING],
  ["http-client.js", /^$/],
  ["tokens.js", NOTHING],
  ["web.js", WEB],
  ["workerd/index.js", WEB],
  ["workerd/edge.js", WEB],
  ["workerd/tokens.js", WEB],
])("%s alone loads nothing of Node", (entry, allowed) => {
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(join(home, "dist", file), "utf8");
    for (const [, path] of text.matchAll(/(?:from\s*|import\s*\(?\s*)"([^"]+)"/g)) {
      expect(path).toMatch(allowed);
      if (path?.endsWith(".js")) visit(posix.join(posix.dirname(file), path));
    }
  };
  visit(entry);
  expect(seen.size).toBeGreaterThan(entry === "http-client.js" ? 0 : 1);
});
