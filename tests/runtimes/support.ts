// Starts the runtimes, each in its own process with the installed package.

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { type Emulator, startEmulator } from "copilot-keyless/emulator";
import { build } from "esbuild";
import { launch } from "../support/browser.js";
import { newcomer, root, run } from "../support/process.js";
import type { Result, Settings } from "./suite.js";

export const ENGINES = join(root, "tests/runtimes/engines/node_modules");

/** Runs the suite in a runtime with these settings. Returns the results. */
export type Runner = (settings: Settings, names: readonly string[]) => Promise<Result[]>;

/** Bundles the suite into one file beside the installed package. */
export async function bundleSuite(folder: string): Promise<void> {
  await build({
    entryPoints: [join(root, "tests/runtimes/suite.ts")],
    outfile: join(folder, "suite.mjs"),
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    external: ["copilot-keyless", "copilot-keyless/*"],
    logLevel: "warning",
  });
  copyFileSync(join(root, "tests/runtimes/main.mjs"), join(folder, "main.mjs"));
}

/** Runs the suite in a runtime with a command line: Node, Deno or Bun. */
export function program(folder: string, command: string, args: readonly string[] = []): Runner {
  return async (settings, names) => {
    const told = JSON.stringify({ settings, names });
    const env = newcomer({ ...settings.env });
    const done = await run(join(ENGINES, command), [...args, "main.mjs", told], { env, cwd: folder });
    const line = done.stdout.split("\n").find((text) => text.startsWith("["));
    if (done.code !== 0 || line === undefined) throw new Error(`exit code ${done.code}\n${done.stderr}`);
    return JSON.parse(line);
  };
}

/**
 * Runs the suite in Chromium. The page imports the package's files through an import map, without a
 * bundler.
 */
export function chromium(address: string): Runner {
  return async (settings, names) => {
    const browser = await launch();
    try {
      const page = await browser.newPage();
      await page.goto(`${address}/page.html`);
      // Pass text, because vitest would add an import to a function.
      const told = JSON.stringify([settings, names]);
      return await page.evaluate(`import("/suite.mjs").then(({ runSuite }) => runSuite(...${told}))`);
    } finally {
      await browser.close();
    }
  };
}

/** Writes the page, with an import map for the package's entries as a browser resolves them. */
export function writePage(folder: string): void {
  const { exports } = JSON.parse(
    readFileSync(join(folder, "node_modules/copilot-keyless/package.json"), "utf8"),
  ) as { exports: Record<string, string | Record<string, string>> };
  const imports = Object.entries(exports).flatMap(([name, targets]) => {
    const file = typeof targets === "string" ? undefined : (targets.browser ?? targets.default);
    return file === undefined
      ? []
      : [[join("copilot-keyless", name), join("/node_modules/copilot-keyless", file)]];
  });
  const map = JSON.stringify({ imports: Object.fromEntries(imports) });
  writeFileSync(
    join(folder, "page.html"),
    `<!doctype html><title>suite</title><script type="importmap">${map}</script>`,
  );
}

/** A server on this machine. */
interface Served {
  address: string;
  stop(): void;
}

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
};

/** Serves the files of a folder. */
export function files(folder: string): Promise<Served> {
  return serve((request, response) => {
    const path = join(folder, new URL(request.url ?? "", "http://x").pathname);
    response.setHeader("content-type", TYPES[extname(path)] ?? "text/plain");
    try {
      response.end(readFileSync(path));
    } catch {
      response.writeHead(404).end();
    }
  });
}

/** Starts the server that the suite needs besides the emulator. */
function control(emulator: Emulator): Promise<Served> {
  return serve(async (request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    const body = await new Response(request as never).text();
    if (request.url === "/revoke") emulator.revokeTokens();
    if (request.url === "/fault") emulator.faults.add(JSON.parse(body));
    if (request.url !== "/token") return void response.end();
    const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = emulator.env;
    const given = await fetch(`${IDENTITY_ENDPOINT}?resource=https://ai.azure.com&api-version=2019-08-01`, {
      headers: { "x-identity-header": IDENTITY_HEADER },
    });
    const { access_token: token, expires_on } = (await given.json()) as Record<string, string>;
    response.end(JSON.stringify({ token, expiresOnTimestamp: Number(expires_on) * 1000 }));
  });
}

async function serve(handle: RequestListener): Promise<Served> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

/** Starts an emulator for a runtime. Returns the settings of the suite. */
export async function withSettings<T>(origin: string, use: (settings: Settings) => Promise<T>): Promise<T> {
  await using emulator = await startEmulator({
    chunkDelayMs: 5,
    platformCache: false,
    allowOrigins: [origin],
  });
  const { address, stop } = await control(emulator);
  const home = mkdtempSync(join(tmpdir(), "copilot-keyless-runtime-"));
  mkdirSync(join(home, "identity"));
  const tokenFile = join(home, "identity/token");
  const { url, authorityHost, clientId, tenantId, clientSecret, federatedToken } = emulator.identity;
  writeFileSync(tokenFile, federatedToken);
  try {
    return await use({
      env: emulator.env,
      identity: { url, authorityHost, clientId, tenantId, clientSecret, federatedToken },
      hosts: { ...emulator.hosts, ...(await emulator.startSecureHosts()) },
      control: address,
      tokenFile,
      home,
    });
  } finally {
    stop();
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
}
