// `npm run help`: lists the commands that CONTRIBUTING.md documents. `npm run tool <name>`: runs
// one of the rarer ones.

import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { command } from "./command.mjs";
import { crates } from "./crates.mjs";
import { functionsWorkers, linkPackage } from "./functions-workers.mjs";
import { MEASURES } from "./measures.mjs";
import { nativeGateway } from "./native.mjs";
import { foreground, main, output, root, runStep } from "./steps.mjs";
import { cargoTools, rust } from "./toolchain.mjs";

/**
 * Runs an example in its folder, with the emulator as the resource
 * unless FOUNDRY_RESOURCE_URL names one.
 */
const example = (name, command, args, settings) =>
  withPackage((env) =>
    foreground(command, args, {
      cwd: join(root, "examples", name),
      env: { ...settings, ...process.env, ...env },
    }),
  );

/** Builds and links the package, starts the emulator if it is needed, and runs something. */
async function withPackage(run) {
  await build();
  linkPackage();
  const { startEmulator } = await import("copilot-keyless/emulator");
  const emulator = process.env.FOUNDRY_RESOURCE_URL ? undefined : await startEmulator();
  const code = await run(emulator?.env ?? {});
  await emulator?.stop();
  return code;
}

const TOOLS = {
  /** Serves the page of examples/chat-server. */
  chat: (...args) => example("chat-server", process.execPath, ["server.mjs", ...args]),

  /**
   * Runs the Azure Functions app in Core Tools if `func` is on the PATH, otherwise in a small host.
   * `--workers 3`: three small hosts behind one address, with Azurite for their conversations.
   */
  async functions(...given) {
    const { values } = parseArgs({ args: given, options: { workers: { type: "string" } } });
    if (values.workers !== undefined) return functionsWorkers(Number(values.workers), withPackage);
    const tools = output("func", ["--version"]) !== undefined;
    console.log(`${tools ? "Core Tools" : "The built-in host (install Core Tools for the real one)"}; try:

  curl -N http://localhost:7071/api/chat -H 'content-type: application/json' -H 'accept: text/event-stream' -d '{"prompt":"Hello"}'
`);
    const settings = { FUNCTIONS_WORKER_RUNTIME: "node", AZURE_FUNCTIONS_ENVIRONMENT: "Development" };
    const host = [process.execPath, [join(root, "scripts/functions-host.mjs")]];
    const [command, args] = tools ? ["func", ["start", "--javascript"]] : host;
    return example("azure-functions", command, args, settings);
  },

  /**
   * Fuzzes each parser, starting from the kept corpus. New inputs stay in target/fuzz-corpus. A
   * crash fails, and cargo-fuzz prints how to repeat it.
   */
  async fuzz(seconds = "20") {
    await cargoTools("cargo-fuzz");
    for (const target of readdirSync(join(root, "tests/fuzz/corpus"))) {
      const found = `target/fuzz-corpus/${target}`;
      mkdirSync(join(root, found), { recursive: true });
      // No sanitizers: they need a nightly compiler, and the core forbids unsafe code.
      const fuzz = `cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none ${target} ${found} tests/fuzz/corpus/${target}`;
      await runStep(`fuzz ${target}`, `${fuzz} -- -max_total_time=${seconds} -timeout=5 -verbosity=0`);
    }
  },

  /** Fails when instructions, heap or sizes are 3 % above those of a commit, which it builds. */
  async gate() {
    await build();
    const { gate } = await import("../benches/gate/run.mjs");
    return gate();
  },

  /**
   * Runs each client of the gateway, or those named, in all cases, and writes their rows of the table
   * in docs/guides/clients.md.
   */
  async clients(...args) {
    await build();
    const options = args.filter((arg) => arg.startsWith("-"));
    const names = args.filter((arg) => !arg.startsWith("-")).join() || "all";
    const test = ["run", "tests/e2e/gateway/works-with.slow.test.ts", "--reporter=verbose", ...options];
    return foreground("vitest", test, { env: { ...process.env, CLIENTS: names } });
  },

  /** Checks what makes the published crates fit for crates.io, or some of it. */
  crates,

  /** Builds the native gateway as it is published, and its rival of the bench. */
  native: () => nativeGateway({ release: true }),

  /** Fails on a breaking change of the crate's API that the version in Cargo.toml does not allow. */
  async semver() {
    await rust();
    await cargoTools("cargo-semver-checks");
    // Compares with this commit until there is a release. A deliberate breaking change moves it.
    const baseline = "984c3720f10533409156cfa478ac422ea718eced";
    const check = "cargo semver-checks check-release --package copilot-keyless --baseline-rev";
    await runStep("public API of the crate", `${check} ${baseline}`);
  },
};

await main(async () => {
  const [name = "", ...args] = process.argv.slice(2);
  if (Object.hasOwn(TOOLS, name)) return TOOLS[name](...args);
  if (Object.hasOwn(MEASURES, name)) return command(name, MEASURES[name], args);
  const rows = readFileSync(join(root, "CONTRIBUTING.md"), "utf8").matchAll(
    /^\| `((?:npm|bash) .*?)` \| (.*?) \|$/gm,
  );
  for (const [, command, text] of rows) console.log(`${command.padEnd(30)} ${text.replaceAll("`", "")}`);
  return name === "" ? 0 : 1;
});
