// `npm run www`: builds the page and serves it on this machine, with the emulator beside it. `--port <port>` chooses the port,
// `--no-emulator` leaves the emulator out.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { parseArgs } from "node:util";
import { brotliCompressSync } from "node:zlib";
import { files, main, root, StepError } from "./steps.mjs";
import { buildPage } from "./www-build.mjs";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
};

const HOST = "127.0.0.1";
const DIST = "www/dist";

/** Files that were compressed. */
const kept = new Map();

await main(async () => {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "4280" },
      emulator: { type: "boolean", default: true },
    },
    allowNegative: true,
  });
  await buildPage();
  let demo;
  const server = createServer((request, response) => {
    answer(request, response, demo).catch((error) => {
      console.error(error);
      if (!response.headersSent) finish(response, 500);
      else response.destroy();
    });
  });
  const port = await listen(server, Number(values.port));
  const address = `http://${HOST}:${port}`;
  if (values.emulator) demo = await emulator(address);
  console.log(`${address}/`);
  if (demo)
    console.error(
      `The emulator of a Foundry resource listens at ${demo.env.FOUNDRY_RESOURCE_URL}. Ctrl-C ends both.`,
    );
  await new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  server.close();
  server.closeAllConnections();
  await demo?.stop();
});

async function emulator(origin) {
  const { startEmulator } = await import("copilot-keyless/emulator");
  return startEmulator({ allowOrigins: [origin], chunkDelayMs: 40 });
}

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", () =>
      reject(new StepError(`Port ${port} cannot be used`, "Give another: npm run www -- --port 0")),
    );
    server.listen(port, HOST, () => resolve(server.address().port));
  });
}

async function answer(request, response, demo) {
  // Another site's page must not reach it by a name of its own (DNS rebinding).
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? "")) return finish(response, 421);
  if (!["GET", "HEAD"].includes(request.method)) return finish(response, 405, "", { allow: "GET, HEAD" });
  const [path] = request.url.split("?");
  if (demo && path === "/emulator.json") {
    const body = JSON.stringify(await access(demo));
    return finish(response, 200, body, { "content-type": "application/json", "cache-control": "no-store" });
  }
  // Only files that were built, by their names: nothing else of a target is looked at.
  const file = path === "/" ? "index.html" : path.slice(1);
  if (!files(DIST).includes(`${DIST}/${file}`)) return finish(response, 404);
  let body = readFileSync(join(root, DIST, file));
  const html = readFileSync(join(root, DIST, "index.html"), "utf8");
  if (file === "index.html" && demo) {
    body = html.replace(
      "</title>",
      '</title>\n    <meta name="keyless-emulator" content="./emulator.json" />',
    );
  }
  const packed = /\bbr\b/.test(String(request.headers["accept-encoding"]));
  finish(response, 200, packed ? compressed(file, body) : body, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    ...(packed ? { "content-encoding": "br" } : {}),
    "cache-control": "no-cache",
    // The page's own policy, and what a policy within a page cannot say.
    "content-security-policy": `${/http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(html)?.[1]}; frame-ancestors 'none'`,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
  });
}

/** Compressed once: it takes a second for the core. */
function compressed(file, body) {
  if (!kept.has(file)) kept.set(file, brotliCompressSync(body));
  return kept.get(file);
}

function finish(response, status, body = "", headers = {}) {
  response.writeHead(status, headers);
  response.end(body);
}

/** What the page needs to use the emulator: its endpoint, and a new token of its managed identity. */
async function access({ env }) {
  const scope = env.FOUNDRY_TOKEN_SCOPE;
  const resource = encodeURIComponent(scope.replace(/\/\.default$/, ""));
  const response = await fetch(`${env.IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=${resource}`, {
    headers: { "x-identity-header": env.IDENTITY_HEADER },
  });
  return {
    endpoint: env.FOUNDRY_RESOURCE_URL,
    model: env.FOUNDRY_MODEL_NAME,
    scope,
    token: await response.json(),
  };
}
