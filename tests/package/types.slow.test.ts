// Compiles programs against the types of every entry point: with two compilers, all module
// resolutions, and with and without the peers.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { newcomer, root, run } from "../support/process.js";
import { installed, linkPackages } from "./support.js";

const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: object };
const entries = Object.keys(exports)
  .filter((name) => !/\.(json|wasm)$/.test(name))
  .map((name) => `copilot-keyless${name.slice(1)}`);

/** Entries that need no types of Node, and entries that need only those. */
const PORTABLE = [
  "copilot-keyless/core",
  "copilot-keyless/direct",
  "copilot-keyless/edge",
  "copilot-keyless/testing",
  "copilot-keyless/tokens",
];
const ALONE = [...PORTABLE, "copilot-keyless/emulator"];

/** Returns the path of a compiler. */
function compiler(name: string): string {
  const home = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  return join(home, "bin/tsc");
}

const bare = installed();
const withPeers = installed();
linkPackages(bare, ["@types/node", "undici-types"]);
linkPackages(withPeers, ["@azure", "@github", "@opentelemetry", "@types/node", "undici-types"]);

/** Writes a program that uses all exports of some entry points. */
function program(folder: string, name: string, used: readonly string[]): string {
  const lines = used.map(
    (entry, index) =>
      `import * as e${index} from "${entry}";\nexport const u${index}: typeof e${index} = e${index};`,
  );
  mkdirSync(join(folder, "programs"), { recursive: true });
  writeFileSync(join(folder, "programs", name), `${lines.join("\n")}\n`);
  return `programs/${name}`;
}

const NODE = ["--types", "node", "--lib", "es2023,esnext.disposable"];

/**
 * Returns a compiler's errors about a program and this package's types, without those of other
 * packages.
 */
async function complaints(
  folder: string,
  file: string,
  tsc: string,
  flags: readonly string[],
): Promise<string[]> {
  const args = [
    "--strict",
    "--noEmit",
    "--target",
    "es2022",
    "--pretty",
    "false",
    "--ignoreConfig",
    ...flags,
  ];
  const { stdout, code } = await run(process.execPath, [tsc, ...args, file], {
    env: newcomer(),
    cwd: folder,
  });
  if (code !== 0 && stdout === "") throw new Error(`The compiler ended with ${code}`);
  return stdout.match(/^(?:programs\/|node_modules\/copilot-keyless\/|error ).*/gm) ?? [];
}

const BY_NODENEXT = ["--module", "nodenext", "--moduleResolution", "nodenext"];

describe.each([
  ["node16", "node16"],
  ["nodenext", "nodenext"],
  ["bundler", "esnext"],
])("module resolution %s", (resolution, module) => {
  const compile = (folder: string, file: string, ...flags: string[]) =>
    complaints(folder, file, compiler("typescript"), [
      "--module",
      module,
      "--moduleResolution",
      resolution,
      ...flags,
    ]);

  test("every entry point, with its peers", async () => {
    expect(entries).toEqual(expect.arrayContaining(["copilot-keyless", ...ALONE]));
    const file = program(withPeers, "all.mts", entries);
    expect(await compile(withPeers, file, ...NODE, "--skipLibCheck", "false")).toEqual([]);
  });

  test("without the peers, the entries that need none", async () => {
    const alone = program(bare, "alone.mts", ALONE);
    expect(await compile(bare, alone, ...NODE, "--skipLibCheck", "false")).toEqual([]);
    // The other entries use types of the Copilot SDK, which become `any` without it.
    const all = program(bare, "all.mts", entries);
    expect(await compile(bare, all, ...NODE, "--skipLibCheck")).toEqual([]);
  });

  test("for a browser, without the types of Node", async () => {
    const lib = ["--lib", "es2023,esnext.disposable,dom,dom.iterable", "--typeRoots", "programs"];
    const file = program(bare, "portable.mts", PORTABLE);
    expect(await compile(bare, file, ...lib, "--skipLibCheck", "false")).toEqual([]);
  });

  test("an entry that does not exist is an error", async () => {
    const file = program(bare, "wrong.mts", ["copilot-keyless/nothing"]);
    expect(await compile(bare, file, ...NODE)).toEqual([expect.stringContaining("copilot-keyless/nothing")]);
  });
});

// Under node16, a CommonJS program cannot import any ES module.
test("from CommonJS, by nodenext", async () => {
  const flags = [...BY_NODENEXT, ...NODE, "--skipLibCheck"];
  const file = program(bare, "all.cts", entries);
  expect(await complaints(bare, file, compiler("typescript"), flags)).toEqual([]);
});

describe.each(["typescript", "typescript-6"])("by %s, in a folder with this package alone", (name) => {
  const alone = installed();
  const code = `import { createBearerTokenProvider, createDirectCredential, KeylessError } from "copilot-keyless/tokens";
    import type { TokenCredential, TokenEvent, TokenProvider } from "copilot-keyless/tokens";
    const credential: TokenCredential = createDirectCredential({ source: "imds" });
    const onEvent = ({ type, at }: TokenEvent): string => type + at.toFixed();
    export const tokens: TokenProvider = createBearerTokenProvider(credential, "a scope", { onEvent });
    export const code = await tokens().catch((error: unknown) => error instanceof KeylessError && error.code);`;

  // An older `lib` lacks Symbol.dispose, and `lib` without "dom" lacks fetch.
  test.each(["es2022", "es2020"])("tokens compile with --lib %s and every check on", async (lib) => {
    mkdirSync(join(alone, "programs"), { recursive: true });
    writeFileSync(join(alone, "programs/tokens.mts"), code);
    const flags = [...BY_NODENEXT, "--lib", lib, "--skipLibCheck", "false", "--exactOptionalPropertyTypes"];
    expect(await complaints(alone, "programs/tokens.mts", compiler(name), flags)).toEqual([]);
  });

  test("an export that is not there is an error", async () => {
    mkdirSync(join(alone, "programs"), { recursive: true });
    writeFileSync(join(alone, "programs/wrong.mts"), 'import { nothing } from "copilot-keyless/tokens";');
    const found = await complaints(alone, "programs/wrong.mts", compiler(name), BY_NODENEXT);
    expect(found).toEqual([expect.stringContaining("'nothing'")]);
  });
});

test("every entry point, by the compiler before the newest", async () => {
  const flags = [...BY_NODENEXT, ...NODE, "--skipLibCheck", "false"];
  const file = program(withPeers, "before.mts", entries);
  expect(await complaints(withPeers, file, compiler("typescript-6"), flags)).toEqual([]);
});
