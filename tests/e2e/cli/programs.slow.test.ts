// The programs that `config --format` prints are formatted, compile with the real Copilot SDK and
// Azure identity library of their language, and hold a turn with the emulator. Python's are tested
// by examples/python. In CI all tools must be there; elsewhere a language without them is skipped.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { planProvider } from "copilot-keyless/core";
import { type Emulator, startEmulator } from "copilot-keyless/emulator";
import { afterAll, describe, expect, test } from "vitest";
import { quote, quoteRust, quoteWide } from "../../../js/cli/programs/text.js";
import { type Snippet, snippets } from "../../../js/cli/snippets.js";
import { root, run } from "../../support/process.js";
import { ODD_TEXTS, PROVIDERS } from "../../support/programs.js";
import { cli } from "./support.js";

/** Compiling an SDK for the first time takes a minute, on a slow and busy machine more than ten, in ms. */
const PATIENCE = 1_500_000;

/** Of a test: a command that takes too long has ended before it, so that it disturbs no second try. */
const TIMEOUT = PATIENCE + 60_000;

const scratch = mkdtempSync(join(tmpdir(), "copilot-keyless-programs-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The folder of a language. In target/, where imports of the package lead to this repository. */
function folder(language: string, ...files: readonly string[]): string {
  const path = join(root, "target/printed", language);
  for (const file of files) write(join(path, file), "");
  for (const file of files)
    copyFileSync(join(root, "tests/e2e/cli/printed", language, file), join(path, file));
  return path;
}

function write(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const machine = `${process.platform}-${process.arch}`;
const runtime = join(
  root,
  `node_modules/@github/copilot-sdk-${machine}/prebuilds/${machine}/copilot-runtime`,
);

/** The environment of a compiler, and of a program that finds the Copilot runtime of npm. */
const environment = (more: Record<string, string> = {}): Record<string, string> => ({
  ...(process.env as Record<string, string>),
  COPILOT_CLI_PATH: runtime,
  COPILOT_SKIP_CLI_DOWNLOAD: "1",
  GOFLAGS: "-buildvcs=false",
  COPILOT_HOME: join(scratch, "home"),
  ...more,
});

/** Runs a command that must succeed, and returns what it printed. */
async function succeed(
  command: string,
  args: readonly string[],
  cwd: string,
  env = environment(),
  input = "",
) {
  const result = await run(command, args, { env, cwd, input, signal: AbortSignal.timeout(PATIENCE) });
  if (result.code !== 0)
    throw new Error(`${command} ${args.join(" ")} failed\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

/** Prints a program by the command line, with these options. */
async function print(format: string, options: Record<string, string>): Promise<string> {
  const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  return (await cli(["config", ...given, "--format", format])).stdout;
}

/** The programs and snippets of all providers. */
const printAll = (format: string): string[] =>
  Object.values(PROVIDERS).flatMap((options) => {
    const plan = planProvider({ endpoint: "https://myres.openai.azure.com", env: {}, ...options });
    const { code, snippet } = snippets(plan, undefined).find(({ id }) => id === format) as Snippet;
    return [`${code}\n`, `${snippet}\n`];
  });

/** Prints a program whose deployment has an odd name, and runs it. Only the true name is served. */
async function converse(
  format: string,
  start: (program: string, env: Record<string, string>) => Promise<string>,
) {
  const deployment = ODD_TEXTS[0] as string;
  await using emulator = await startEmulator({ deployments: [deployment], chunkDelayMs: 0 });
  const program = await printFor(emulator, format, deployment);
  const { FOUNDRY_RESOURCE_URL: _url, FOUNDRY_TOKEN_SCOPE: _scope, ...identity } = emulator.env;
  expect(await start(program, environment(identity))).toContain('You said: "Say hello in one sentence."');
  expect(emulator.counts).toMatchObject({ identity: 1, unauthorized: 0 });
}
/** Prints a program for the emulator. */
function printFor({ env }: Emulator, format: string, deployment: string): Promise<string> {
  const { FOUNDRY_RESOURCE_URL: endpoint = "", FOUNDRY_TOKEN_SCOPE: scope = "" } = env;
  return print(format, { endpoint: `${endpoint}/openai/v1/`, scope, model: "gpt-5.5", deployment });
}

/** A program of the language that prints the bytes of texts in hexadecimal, a text a line. */
const hex = ODD_TEXTS.map((text) => `${Buffer.from(text).toString("hex")}\n`).join("");

const isThere = (tool: string) => spawnSync(tool, ["--help"], { stdio: "ignore" }).error === undefined;

/** Declares the tests of a language. Without its tools they fail in CI and are skipped elsewhere. */
function language(name: string, tools: readonly string[], tests: () => void) {
  const missing = tools.filter((tool) => !isThere(tool));
  if (missing.length === 0) return describe(name, tests);
  const reason = `needs ${missing.join(" and ")}, not found on the PATH`;
  if (process.env.CI) return test(`${name} ${reason}`, () => expect.fail(reason));
  return test.skip(`${name} ${reason}`, () => {});
}

language("TypeScript", [], () => {
  const bin = (tool: string) => join(root, "node_modules/.bin", tool);

  test("is formatted as Prettier does, and type-checks", async () => {
    const path = folder("typescript");
    const files = printAll("typescript").map((text, index) => write(join(path, `${index}.ts`), text));
    const style = [
      "--indent-style=space",
      "--line-width=80",
      "--config-path",
      write(join(scratch, "biome.json"), "{}"),
    ];
    await succeed(bin("biome"), ["format", ...style, ...files], path);
    const flags = [
      "--noEmit",
      "--ignoreConfig",
      "--strict",
      "--exactOptionalPropertyTypes",
      "--skipLibCheck",
    ];
    flags.push("--target", "es2022", "--module", "nodenext", "--types", "node");
    await succeed(bin("tsc"), [...flags, ...files], path);
  });

  test("runs, as JavaScript", () =>
    converse("typescript", (program, env) => {
      const path = folder("typescript");
      return succeed(process.execPath, [write(join(path, "app.mjs"), program)], path, env);
    }));
});

language("Go", ["go", "gofmt"], () => {
  test("is formatted by gofmt", async () => {
    for (const text of printAll("go"))
      expect(await succeed("gofmt", ["-d"], scratch, environment(), text)).toBe("");
  });

  test("vets, compiles and runs", { timeout: TIMEOUT }, () =>
    converse("go", async (program, env) => {
      const path = folder("go", "go.mod", "go.sum");
      write(join(path, "main.go"), program);
      await succeed("go", ["vet", "."], path, env);
      return succeed("go", ["run", "."], path, env);
    }),
  );

  test("reads quoted texts as they were", { timeout: TIMEOUT }, async () => {
    const texts = ODD_TEXTS.map(quoteWide).join(", ");
    const program = `package main\nimport "fmt"\nfunc main() { for _, text := range []string{${texts}} { fmt.Printf("%x\\n", text) } }\n`;
    expect(await succeed("go", ["run", write(join(scratch, "quotes.go"), program)], scratch)).toBe(hex);
  });
});

/**
 * The program and the example share the compiled SDK, which takes minutes: their features and
 * lockfiles agree.
 */
const rustTarget = { CARGO_TARGET_DIR: join(root, "crates/tokio/target") };

language("Rust", ["cargo", "rustc", "rustfmt"], () => {
  test("is formatted by rustfmt", async () => {
    const files = printAll("rust").map((text, index) => write(join(scratch, `rust/a${index}.rs`), text));
    await succeed("rustfmt", ["--check", "--edition", "2024", ...files], scratch);
  });

  test("compiles without a warning, and recovers from a rejected token within the turn", {
    timeout: TIMEOUT,
  }, async () => {
    const deployment = ODD_TEXTS[0] as string;
    let replies = 0;
    await using emulator = await startEmulator({
      deployments: [deployment],
      chunkDelayMs: 0,
      platformCache: false,
      reply: ({ prompt }) => {
        replies += 1;
        if (replies > 1) return `You said: "${prompt}"`;
        // The runtime sends the result of the tool with the same token.
        emulator.revokeTokens();
        return { toolCalls: [{ name: "none" }] };
      },
    });
    const program = await printFor(emulator, "rust", deployment);
    const path = folder("rust", "Cargo.toml", "Cargo.lock");
    const others = printAll("rust").map((text, index) => {
      write(join(path, `src/a${index}.rs`), text);
      return `#[allow(dead_code)]\nmod a${index};\n`;
    });
    write(join(path, "src/main.rs"), `${program}${others.join("")}`);
    const crate = `patch.crates-io.copilot-keyless-tokio.path="${join(root, "crates/tokio")}"`;
    const { FOUNDRY_RESOURCE_URL: _url, FOUNDRY_TOKEN_SCOPE: _scope, ...identity } = emulator.env;
    const env = environment({ ...identity, ...rustTarget });
    const args = ["run", "--quiet", "--locked", "--config", crate];
    expect(await succeed("cargo", args, path, env)).toContain('You said: "Say hello in one sentence."');
    const statuses = emulator.requests
      .filter(({ server }) => server === "foundry")
      .map(({ status }) => status);
    expect(statuses).toEqual([200, 401, 200]);
  });

  test("asks for the features that were compiled", () => {
    const [install = ""] = (printAll("rust")[0] as string).split("\n");
    const asked = [...install.matchAll(/--features (\S+)/g)].flatMap(([, names = ""]) => names.split(","));
    const manifest = readFileSync(join(root, "tests/e2e/cli/printed/rust/Cargo.toml"), "utf8");
    const compiled = [...manifest.matchAll(/features = \[(.*)\]/g)].flatMap(([, names]) =>
      JSON.parse(`[${names}]`),
    );
    expect(new Set(asked.map((name) => name.split("/").at(-1)))).toEqual(new Set(compiled));
    expect(install).toContain("cargo add github-copilot-sdk --no-default-features ");
    expect(manifest).toMatch(/^github-copilot-sdk = .*default-features = false/m);
  });

  test("the example, which is the guide's, holds a conversation", { timeout: TIMEOUT }, async () => {
    const read = (path: string) => readFileSync(join(root, path), "utf8");
    const source = read("examples/rust-copilot/src/main.rs");
    expect(read("docs/guides/rust.md")).toContain(source.slice(source.indexOf("use ")));
    await using emulator = await startEmulator({ chunkDelayMs: 0 });
    const env = environment({ ...emulator.env, ...rustTarget });
    const args = ["run", "--quiet", "--locked", "--", "Say hello.", "And again."];
    const said = await succeed("cargo", args, join(root, "examples/rust-copilot"), env);
    expect(said).toMatch(/"Say hello\."[\s\S]*"And again\."/);
    expect(emulator.counts).toMatchObject({ identity: 1, foundry: 2, unauthorized: 0 });
  });

  test("reads quoted texts as they were", async () => {
    const texts = ODD_TEXTS.map(quoteRust).join(", ");
    const program = `fn main() { for text in [${texts}] { for byte in text.bytes() { print!("{byte:02x}"); } println!(); } }`;
    await succeed("rustc", ["-o", "quotes", write(join(scratch, "quotes.rs"), program)], scratch);
    expect(await succeed(join(scratch, "quotes"), [], scratch)).toBe(hex);
  });
});

// Maven Central has no release of the Copilot SDK for Java that every machine can load, so only the
// names of its classes may be unknown here. docs/reference/tested.md says what was compiled by hand.
language("Java", ["java", "javac"], () => {
  const problems = (program: string) => {
    const file = write(join(scratch, "App.java"), program);
    const { stderr } = spawnSync("javac", ["-XDrawDiagnostics", "-d", scratch, file], { encoding: "utf8" });
    return [...stderr.matchAll(/compiler\.err\.([\w.]+)/g)].map(([, code]) => code);
  };

  test("parses with JDK 17, and only classes of libraries are unknown", async () => {
    const program = await print("java", { endpoint: "myres.openai.azure.com", deployment: "team-gpt" });
    expect(new Set(problems(program))).toEqual(new Set(["doesnt.exist", "cant.resolve.location"]));
    expect(problems(program.replace(".get();", ".get()"))).toEqual(["expected"]);
  });

  test("reads quoted texts as they were", async () => {
    const texts = ODD_TEXTS.map(quote).join(", ");
    const program = `import static java.nio.charset.StandardCharsets.UTF_8;
      class Quotes { public static void main(String[] a) { for (var text : new String[] {${texts}})
        System.out.println(java.util.HexFormat.of().formatHex(text.getBytes(UTF_8))); } }`;
    expect(await succeed("java", [write(join(scratch, "Quotes.java"), program)], scratch)).toBe(hex);
  });
});

language("Python", ["python3"], () => {
  test("reads quoted texts as they were", async () => {
    const program = `for text in [${ODD_TEXTS.map(quoteWide).join(", ")}]: print(text.encode().hex())`;
    expect(await succeed("python3", ["-c", program], scratch)).toBe(hex);
  });
});
