// Bundles the package with users' bundlers, and runs the bundles in Node and Chromium.

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { createDirectCredential } from "copilot-keyless/direct";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch } from "../support/browser.js";
import { newcomer, run } from "../support/process.js";
import { BUNDLERS, mainOf } from "./bundle.js";
import { inlinedModules } from "./release.js";
import { installed, linkPackages } from "./support.js";

const folder = installed();
const PEERS = ["@azure/functions", "@azure/identity", "@github/copilot-sdk"];

/** Serves the folders that bundlers wrote to a page. */
const pages = createServer((request, response) => {
  const file = join(folder, new URL(request.url ?? "/", "http://page").pathname);
  const found = existsSync(file) && statSync(file).isFile();
  const type = extname(file) === ".mjs" ? "text/javascript" : "text/html";
  response.writeHead(found ? 200 : 404, { "content-type": type }).end(found ? readFileSync(file) : "");
});
await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
const emulator = await startEmulator({ chunkDelayMs: 0, allowOrigins: [origin] });
afterAll(async () => {
  await emulator.stop();
  pages.closeAllConnections();
  await new Promise((resolve) => pages.close(resolve));
});

const PROGRAMS = {
  // For every platform with fetch.
  "portable.mjs": `
    import { KeylessError, parseEndpoint } from "copilot-keyless/core";
    import { probe } from "copilot-keyless/direct";
    import { createEdgeChatHandler, KeylessError as Same } from "copilot-keyless/edge";
    globalThis.portable = async ({ endpoint, token }) => {
      const { kind } = parseEndpoint("myres.openai.azure.com");
      const { code } = await probe({ endpoint, token, model: "gpt-5.5" });
      const scope = "https://ai.azure.com/.default";
      const chat = createEdgeChatHandler({ authorize: "anonymous", endpoint, scope, env: {}, credential: { getToken: async () => token } });
      const request = new Request("http://edge.example/chat", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ prompt: "Bundled" }),
      });
      const { reply } = await (await chat(request)).json();
      return { kind, code, reply, same: KeylessError === Same };
    };
    const given = globalThis.process?.argv?.[2];
    if (given) console.log(JSON.stringify(await globalThis.portable(JSON.parse(given))));`,
  // All entry points, for Node.
  "server.mjs": `
    import { createFoundryProvider, KeylessError, FoundryAgent } from "copilot-keyless";
    import { createHealthHandler } from "copilot-keyless/azure-functions";
    import { startEmulator } from "copilot-keyless/emulator";
    async function main() {
      const wrong = await startEmulator({ chunkDelayMs: -1 }).catch((error) => error);
      const direct = createFoundryProvider({ credential: "direct" });
      const agent = new FoundryAgent({ session: { availableTools: [] } });
      console.log(JSON.stringify({
        same: wrong instanceof KeylessError,
        direct: (await direct.tokens()).length > 0,
        reply: await agent.chat("Bundled"),
        health: typeof createHealthHandler({ status: () => ({ healthy: true }) }),
      }));
      await agent.close();
      direct.close();
    }
    main();`,
  // Starts the Copilot SDK, inside or outside the bundle.
  "turn.mjs": `
    import { createClaimsChallengeHandler, FoundryAgent } from "copilot-keyless";
    async function main() {
      const agent = new FoundryAgent({ credential: "direct", session: { availableTools: [] } });
      const handler = await createClaimsChallengeHandler(agent.provider);
      console.log(JSON.stringify({ reply: await agent.chat("Bundled"), handler: typeof handler }));
      await agent.close();
    }
    // Node would print the line of an uncaught error: the whole bundle.
    main().catch(({ code, hint }) => {
      console.error(code, hint);
      process.exitCode = 1;
    });`,
  "unused.mjs": `
    import { createFoundryProvider } from "copilot-keyless";
    import { parseEndpoint } from "copilot-keyless/core";
    import { probe } from "copilot-keyless/direct";
    import { createEdgeChatHandler } from "copilot-keyless/edge";
    import { startEmulator } from "copilot-keyless/emulator";
    import { createChatHandler } from "copilot-keyless/azure-functions";
    console.log("nothing of it");`,
  "error.mjs": `
    import { KeylessError } from "copilot-keyless/core";
    console.log(new KeylessError("endpoint/empty", "none").code);`,
};

let token: unknown;
beforeAll(async () => {
  linkPackages(folder, ["@azure", "@github"]);
  for (const [name, program] of Object.entries(PROGRAMS)) writeFileSync(join(folder, name), program);
  const credential = createDirectCredential({ env: emulator.env });
  token = await credential.getToken("https://ai.azure.com/.default");
});

const given = () => ({ endpoint: emulator.env.FOUNDRY_RESOURCE_URL, token });
const answer = { kind: "azure-openai", code: "ok", reply: expect.stringContaining('"Bundled"'), same: true };

const turn = { reply: expect.stringContaining('"Bundled"'), handler: "object" };

const FORMATS = ["esm", "cjs"] as const;
type Format = (typeof FORMATS)[number];

/**
 * Bundles in which the SDK's own code does not run: a required file is missing, or it looks for its
 * runtime in the wrong place.
 */
const CANNOT = ["esbuild esm", "webpack esm", "webpack cjs"];

/**
 * Returns the texts of all files that a bundle's entry loads, because esbuild also leaves unused
 * ones.
 */
function loaded(out: string, file = "main.mjs", seen = new Set<string>()): string[] {
  seen.add(file);
  const text = readFileSync(join(folder, out, file), "utf8");
  const others = readdirSync(join(folder, out)).filter((name) => text.includes(name) && !seen.has(name));
  return [text, ...others.flatMap((name) => loaded(out, name, seen))];
}

function node(program: string, ...args: string[]) {
  return run(process.execPath, [program, ...args], { env: newcomer({ ...emulator.env }), cwd: folder });
}

describe.each(Object.keys(BUNDLERS))("%s", (name) => {
  const bundle = (entry: string, target: "node" | "browser", external: string[] = [], format?: Format) => {
    const out = `${name}-${target}-${entry.replace(".mjs", "")}-${format}-${external.length}`;
    const job = { folder, entry, out, target, external, ...(format ? { format } : {}) };
    return BUNDLERS[name]?.(job).then(() => out) ?? Promise.reject();
  };

  test.each(["node", "browser"] as const)("core, direct and edge, for %s, run under Node", async (target) => {
    const out = await bundle("portable.mjs", target);
    expect(inlinedModules(join(folder, out))).toEqual(["core", "explain", "net", "plan"]);
    const result = await node(`${out}/main.mjs`, JSON.stringify(given()));
    expect(result.stderr).toBe("");
    expect(JSON.parse(result.stdout)).toEqual(answer);
  });

  test.each(FORMATS)("the whole package, the Copilot SDK beside it: %s", async (format) => {
    const out = await bundle("server.mjs", "node", PEERS, format);
    const result = await node(`${out}/${mainOf(format)}`);
    expect(result.stderr).toBe("");
    expect(JSON.parse(result.stdout)).toEqual({
      same: true,
      direct: true,
      reply: expect.stringContaining('"Bundled"'),
      health: "function",
    });
  });

  // Rollup needs a plugin for the SDK's CommonJS parts.
  const within = name === "rollup" ? [] : FORMATS;
  test.each(within)("a conversation, the Copilot SDK within the bundle: %s", async (format) => {
    const out = await bundle("turn.mjs", "node", PEERS.slice(0, 2), format);
    const result = await node(`${out}/${mainOf(format)}`);
    if (CANNOT.includes(`${name} ${format}`)) {
      expect(result.stderr).toMatch(/sdk\/start-failed/);
      expect(result.stderr).toMatch(/keep it out of bundles/);
    } else {
      expect(result.stderr).toBe("");
      expect(JSON.parse(result.stdout)).toEqual(turn);
    }
  });

  test("unused imports are dropped", async () => {
    const unused = await bundle("unused.mjs", "node", PEERS);
    expect(
      loaded(unused)
        .join("")
        .replaceAll(/^\/\/.*$|export \{\s*\};/gm, "")
        .trim(),
    ).toMatch(/^console\.log\("nothing of it"\);?$/);
    const error = await bundle("error.mjs", "browser");
    expect((await node(`${error}/main.mjs`)).stdout.trim()).toBe("endpoint/empty");
    expect(inlinedModules(join(folder, error))).toEqual([]);
    // Some code that calls the core may remain, but not the core.
    expect(loaded(error).join("").length).toBeLessThan(26_000);
  });
});

test("in Chromium, as each bundler wrote them", async () => {
  const browser = await launch();
  try {
    for (const name of Object.keys(BUNDLERS)) {
      const page = await browser.newPage();
      const faults: string[] = [];
      page.on("pageerror", (error) => faults.push(String(error)));
      writeFileSync(
        join(folder, `${name}.html`),
        `<script type="module" src="/${name}-browser-portable-undefined-0/main.mjs"></script>`,
      );
      await page.goto(`${origin}/${name}.html`);
      await page.waitForFunction(() => "portable" in globalThis);
      const got = await page.evaluate(
        (input) => (globalThis as unknown as { portable(input: unknown): Promise<unknown> }).portable(input),
        given(),
      );
      expect(got, name).toEqual(answer);
      expect(faults, name).toEqual([]);
      await page.close();
    }
  } finally {
    await browser.close();
  }
});
