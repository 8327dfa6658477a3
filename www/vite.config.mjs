// Builds the page into www/dist, for any static host; `vite www` serves its sources and `vite
// preview www` what was built.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";
import { builtModules, IMPORT, wasmFiles, wasmModules } from "../scripts/wasm-plugin.mjs";

const root = join(import.meta.dirname, "..");
const MODULES = builtModules();

// No inline script or style, nothing from elsewhere. "Try it" sends to the endpoint that the user
// names: any host by https, or this machine.
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self' https: http://127.0.0.1:* http://localhost:*; worker-src 'self'; base-uri 'none'; form-action 'none'";

// The policy, with the part that a page cannot set itself, and other headers that keep other sites
// out.
const HEADERS = new Map([
  ["content-security-policy", `${POLICY}; frame-ancestors 'none'`],
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "no-referrer"],
  ["cross-origin-opener-policy", "same-origin"],
]);

// The page loads each `.wasm` as a file.
const wasmAsFiles = {
  name: "wasm-as-files",
  enforce: "pre",
  resolveId(source) {
    if (source.endsWith("/module-source.js")) return join(import.meta.dirname, "wasm-files.ts");
    const [, name, inline] = IMPORT.exec(source) ?? [];
    return inline && `${wasmFiles(MODULES[name]).wasm}?url`;
  },
};

// Puts the policy into the page, and writes the service worker with the list of all files.
const offline = {
  name: "offline",
  apply: "build",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY } },
  ],
  generateBundle(_options, bundle) {
    const files = Object.keys(bundle).filter((name) => name !== "index.html");
    const version = createHash("sha256").update(files.join("\n")).digest("hex").slice(0, 12);
    const list = JSON.stringify(["./", "./icon.svg", ...files.map((name) => `./${name}`)]);
    const source = readFileSync(join(import.meta.dirname, "offline.js"), "utf8");
    const head = `const VERSION = ${JSON.stringify(version)};\nconst FILES = ${list};\n`;
    this.emitFile({ type: "asset", fileName: "offline.js", source: head + source });
  },
};

// Names the emulator in the page, and starts it when the page asks for it.
const emulator = {
  name: "emulator",
  transformIndexHtml: (html, { server }) => (server ? withEmulator(html) : html),
  configureServer: ({ middlewares }) => void middlewares.use("/emulator.json", access),
  configurePreviewServer({ middlewares }) {
    middlewares.use((_request, response, next) => {
      response.setHeaders(HEADERS);
      next();
    });
    middlewares.use("/emulator.json", access);
    middlewares.use((request, response, next) => {
      if (!/^\/(\?|$)/.test(request.url ?? "")) return next();
      const page = readFileSync(join(import.meta.dirname, "dist/index.html"), "utf8");
      response.setHeader("content-type", "text/html; charset=utf-8").end(withEmulator(page));
    });
  },
};

function withEmulator(html) {
  return html.replace("</title>", '$&\n    <meta name="keyless-emulator" content="./emulator.json" />');
}

let started;

// Answers with the emulator's endpoint and a new token of its managed identity.
async function access({ socket }, response, next) {
  try {
    const { startEmulator } = await import("copilot-keyless/emulator");
    const allowOrigins = ["127.0.0.1", "localhost"].map((host) => `http://${host}:${socket.localPort}`);
    started ??= startEmulator({ allowOrigins, chunkDelayMs: 40 });
    const { env } = await started;
    const resource = env.FOUNDRY_TOKEN_SCOPE.replace(/\/\.default$/, "");
    const url = `${env.IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=${encodeURIComponent(resource)}`;
    const answer = await fetch(url, { headers: { "x-identity-header": env.IDENTITY_HEADER } });
    const { FOUNDRY_RESOURCE_URL: endpoint, FOUNDRY_MODEL_NAME: model, FOUNDRY_TOKEN_SCOPE: scope } = env;
    response.setHeader("content-type", "application/json").setHeader("cache-control", "no-store");
    response.end(JSON.stringify({ endpoint, model, scope, token: await answer.json() }));
  } catch (error) {
    next(error);
  }
}

export default defineConfig({
  root: import.meta.dirname,
  appType: "mpa",
  // Relative, for a folder of a host.
  base: "./",
  resolve: {
    alias: {
      "copilot-keyless/core": join(root, "js/core.ts"),
      "copilot-keyless/direct": join(root, "js/direct.ts"),
    },
  },
  build: {
    target: "es2022",
    // Browsers of 2024 know light-dark().
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  server: { host: "127.0.0.1", port: 4280, cors: false },
  plugins: [wasmAsFiles, wasmModules(MODULES), offline, emulator],
});
