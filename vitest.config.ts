import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { wasmModules } from "./tests/support/wasm-modules.js";

const root = fileURLToPath(new URL("./", import.meta.url));
const setUp = (name: string) => `${root}tests/support/set-up/${name}.ts`;

/** The package's entry points as sources: dist/direct.js is js/direct.ts. */
const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { exports: object };
const sources = Object.keys(exports)
  .filter((name) => !/\.(json|wasm)$/.test(name))
  .map((name) => ({
    find: new RegExp(`^copilot-keyless${name.slice(1)}$`),
    replacement: `${root}js/${name === "." ? "index" : name.slice(2)}.ts`,
  }));

/** The tests of a folder. */
function project(name: string, options: TestProjectInlineConfiguration = {}): TestProjectInlineConfiguration {
  const test = { name, include: [`tests/${name}/**/*.test.ts`], ...options.test };
  return { extends: true, ...options, test };
}

export default defineConfig({
  test: {
    projects: [
      // On the sources: no build of dist/ is needed, and `npx vitest --project unit` follows every edit.
      project("unit", { plugins: [wasmModules()], resolve: { alias: sources } }),
      project("e2e"),
      project("package", { test: { globalSetup: [setUp("package"), setUp("workerd")] } }),
      project("browser", { test: { globalSetup: setUp("browser") } }),
      project("runtimes", { test: { globalSetup: [setUp("package"), setUp("engines")] } }),
      project("conformance"),
      project("tooling"),
    ],
    // Most of them wait for processes.
    maxWorkers: 4,
    // A process per file: @azure/identity keeps its managed identity and its tokens per process.
    pool: "forks",
    // A rejection that nobody handles fails the run, wherever it comes from.
    execArgv: ["--unhandled-rejections=strict"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A browser on a busy machine is slower than the default of one second.
    expect: { poll: { timeout: 15_000 } },
  },
});
