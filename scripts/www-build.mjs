// `npm run www:build`: the page into www/dist, to be put on any static host.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build as buildPackage } from "./build.mjs";
import { ifChanged, main, root, step } from "./steps.mjs";

const PAGE = join(root, "www");

/** The place of each module of the core in what wasm-pack made. */
const MODULES = { core: "pkg", net: "pkg-net" };

export async function buildPage() {
  await buildPackage();
  const inputs = [
    "www",
    "js",
    "pkg/copilot_keyless_bg.wasm",
    "pkg-net/copilot_keyless_bg.wasm",
    "scripts/www-build.mjs",
  ];
  await ifChanged("www", inputs, ["www/dist/index.html"], () => step("Page to www/dist", bundle), [
    "www/dist",
  ]);
}

async function bundle() {
  const { build } = await import("vite");
  await build({
    configFile: false,
    root: PAGE,
    // Relative, for a folder of a host.
    base: "./",
    logLevel: "error",
    resolve: {
      alias: {
        "copilot-keyless/core": join(root, "js/core.ts"),
        "copilot-keyless/direct": join(root, "js/direct.ts"),
      },
    },
    build: {
      outDir: "dist",
      emptyOutDir: true,
      target: "es2022",
      // Browsers of 2024 know light-dark().
      cssTarget: ["chrome123", "firefox120", "safari17.5"],
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 1024,
    },
    plugins: [wasmFiles, offline],
  });
}

/** wasm-pack's modules in the place of js/wasm/*.js, and their `.wasm` as files instead of text within the scripts. */
const wasmFiles = {
  name: "wasm-files",
  enforce: "pre",
  resolveId(source, importer) {
    const [, name, inline] = /\/wasm\/(core|net)(-inline)?\.js$/.exec(source) ?? [];
    if (name) return join(root, MODULES[name], inline ? "copilot_keyless_bg.wasm?url" : "copilot_keyless.js");
    if (/\/inlined\.js$/.test(source) && importer?.includes("bindings")) return join(PAGE, "modules.ts");
    return undefined;
  },
  transform(code, id) {
    if (!/pkg(-net)?[\\/]copilot_keyless\.js$/.test(id)) return undefined;
    // reqwest takes `fetch` and `Request` from the platform; it gets them from js/net-platform.ts.
    const platform = id.includes("pkg-net")
      ? 'import { fetch, Request } from "../js/net-platform.js";\n'
      : "";
    // The page loads the file itself, so that its name is not to be found here a second time.
    return platform + code.replace(/new URL\('copilot_keyless_bg\.wasm', import\.meta\.url\)/, "undefined");
  },
};

/** The service worker, with the list of everything that was built. */
const offline = {
  name: "offline",
  generateBundle(_options, bundle) {
    const files = Object.keys(bundle).filter((name) => name !== "index.html");
    const version = createHash("sha256").update(files.join("\n")).digest("hex").slice(0, 12);
    const list = JSON.stringify(["./", "./icon.svg", ...files.map((name) => `./${name}`)]);
    this.emitFile({
      type: "asset",
      fileName: "offline.js",
      source: `const VERSION = ${JSON.stringify(version)};\nconst FILES = ${list};\n${readFileSync(join(PAGE, "offline.js"), "utf8")}`,
    });
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(buildPage);
