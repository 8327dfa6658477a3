// `npm run www:build`: the page into www/dist, to be put on any static host.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { MODULES as BUILT, build as buildPackage, webAssembly, withNetPlatform } from "./build.mjs";
import { ifChanged, main, root, StepError, step } from "./steps.mjs";

const PAGE = join(root, "www");

/** The core and the planning module in one: the page uses much of both. */
const BOTH = "target/www/pkg";

/** Where wasm-pack's modules are. */
const MODULES = { core: BOTH, plan: BOTH, net: BUILT.net };

/** What the page calls of the core. The rest, such as the schedule of a running provider, is left out of its module. */
const CALLED = [
  "checkToken",
  "decodeToken",
  "diagnose",
  "judgeProbe",
  "parseEndpoint",
  "parseTokenResponseText",
  "planChat",
  "planProvider",
  "roleAssignment",
  "simulateRefresh",
];

/** What the module is made of, as in Cargo.toml. */
const FEATURES = [
  "MutableGlobals",
  "NontrappingFPToInt",
  "BulkMemory",
  "BulkMemoryOpt",
  "SignExt",
  "ReferenceTypes",
  "Multivalue",
  "CallIndirectOverlong",
];

/** The core as the page has it. */
const TRIMMED = join(root, "target/www/core.wasm");

export async function buildPage() {
  await buildPackage();
  await webAssembly("page", BOTH, "core,plan");
  const inputs = [
    "www",
    "js",
    `${BOTH}/copilot_keyless_bg.wasm`,
    `${BUILT.net}/copilot_keyless_bg.wasm`,
    "scripts/www-build.mjs",
  ];
  await ifChanged("www", inputs, ["www/dist/index.html"], () => step("Page to www/dist", bundle), [
    "www/dist",
  ]);
}

async function bundle() {
  await trim();
  // What a test runner sets would make it a page for development.
  process.env.NODE_ENV = "production";
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

/** Takes out of the core what nobody calls in the page: a twelfth of what it loads first. */
async function trim() {
  const { default: binaryen } = await import("binaryen");
  const module = binaryen.readBinary(readFileSync(join(root, BOTH, "copilot_keyless_bg.wasm")));
  module.setFeatures(FEATURES.reduce((all, name) => all | binaryen.Features[name], 0));
  const names = Array.from(
    { length: module.getNumExports() },
    (_, index) => binaryen.getExportInfo(module.getExportByIndex(index)).name,
  );
  const missing = CALLED.find((name) => !names.includes(name));
  if (missing) throw new StepError(`The core has no ${missing}`);
  // What wasm-bindgen itself needs begins with two underscores; what frees an object of a class does not count.
  const needed = (name) =>
    CALLED.includes(name) || name === "memory" || (name.startsWith("__") && !name.startsWith("__wbg_"));
  for (const name of names.filter((one) => !needed(one))) module.removeExport(name);
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(2);
  module.optimize();
  mkdirSync(dirname(TRIMMED), { recursive: true });
  writeFileSync(TRIMMED, module.emitBinary());
  module.dispose();
}

/** wasm-pack's modules in the place of js/wasm/modules/*.js, and their `.wasm` as files instead of text within the scripts. */
const wasmFiles = {
  name: "wasm-files",
  enforce: "pre",
  resolveId(source, importer) {
    const [, name, inline] = /\/modules\/(core|plan|net)(-inline)?\.js$/.exec(source) ?? [];
    if (inline && name !== "net") return `${TRIMMED}?url`;
    if (name) return join(root, MODULES[name], inline ? "copilot_keyless_bg.wasm?url" : "copilot_keyless.js");
    if (/\/module-source\.js$/.test(source)) return join(PAGE, "modules.ts");
    return undefined;
  },
  transform(code, id) {
    if (!/pkg(-net)?[\\/]copilot_keyless\.js$/.test(id)) return undefined;
    const own = id.includes("pkg-net") ? withNetPlatform(code, "../js/wasm/net-platform.js") : code;
    // The page loads the file itself, so that its name is not to be found here a second time.
    return own.replace(/new URL\('copilot_keyless_bg\.wasm', import\.meta\.url\)/, "undefined");
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
