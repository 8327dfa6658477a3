import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
// @ts-expect-error: plain Node, without types
import { wasmModules } from "./scripts/wasm-plugin.mjs";

const root = fileURLToPath(new URL("./", import.meta.url));

/** The package's entry points as sources: dist/direct.js is js/direct.ts. */
const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { exports: object };
const sources = Object.keys(exports)
  .filter((name) => !/\.(json|wasm)$/.test(name))
  .map((name) => ({
    find: new RegExp(`^copilot-keyless${name.slice(1)}$`),
    replacement: `${root}js/${name === "." ? "index" : name.slice(2)}.ts`,
  }));

/** The tests of a folder, and what is done before they run. */
function project(
  name: string,
  setUp: readonly string[],
  options: TestProjectInlineConfiguration = {},
): TestProjectInlineConfiguration {
  const globalSetup = setUp.map((step) => `${root}tests/support/set-up/${step}.ts`);
  return { extends: true, ...options, test: { name, include: [`tests/${name}/**/*.test.ts`], globalSetup } };
}

export default defineConfig({
  test: {
    projects: [
      // On the sources: no build of dist/ is needed, and `npx vitest --project unit` follows every edit.
      project("unit", ["sources"], { plugins: [wasmModules()], resolve: { alias: sources } }),
      // On dist/.
      project("e2e", ["built"]),
      project("package", ["built", "package", "workerd"]),
      project("browser", ["built", "browser"]),
      project("runtimes", ["built", "package", "engines"]),
      project("conformance", ["built"]),
      project("tooling", ["built"]),
    ],
    // Most of them wait for processes.
    maxWorkers: 4,
    // A process per file: @azure/identity keeps its managed identity and its tokens per process.
    pool: "forks",
    // A rejection that nobody handles fails the run, wherever it comes from.
    execArgv: ["--unhandled-rejections=strict"],
    // In CI a test that fails is run once more, and its name says so: the machine may have been busy.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A browser on a busy machine is slower than the default of one second.
    expect: { poll: { timeout: 15_000 } },
  },
});
