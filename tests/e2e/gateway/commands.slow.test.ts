// Runs `gateway`, `run` and `credential` of the built command line, as a user does.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, statSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { type Emulator, startEmulator } from "copilot-keyless/emulator";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { newcomer, root } from "../../support/process.js";
import { cli, expectTold } from "../cli/support.js";
import { ASK } from "./support.js";

const emulator: Emulator = await startEmulator({ chunkDelayMs: 0, platformCache: false });
afterAll(() => emulator.stop());

/** An environment with the emulator's identity, and a folder of its own for sockets. */
function ofUser(env: Record<string, string> = {}): Record<string, string> {
  const XDG_RUNTIME_DIR = mkdtempSync(join(tmpdir(), "ck-run-"));
  return newcomer({ ...emulator.env, XDG_RUNTIME_DIR, ...env });
}

/** Starts `gateway --json`, and returns what it prints. */
async function serving(
  env: Record<string, string>,
  ...args: string[]
): Promise<{ child: ChildProcess; url: string; key: string; clients: Record<string, { command: string }> }> {
  const child = spawn(process.execPath, [join(root, "dist/cli.cjs"), "gateway", "--json", ...args], { env });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, ...JSON.parse(line) };
}

const printEnvironment = [process.execPath, "-e", "console.log(JSON.stringify(process.env))"];

describe("run", () => {
  test("run gives the command the gateway, and takes identity secrets away", async () => {
    const secrets = {
      AZURE_CLIENT_SECRET: "pl4nted~S3cret.value",
      MSI_SECRET: "pl4nted-too",
      AZURE_OPENAI_ENDPOINT: "x",
    };
    const env = ofUser({ ...secrets, NO_PROXY: "corp.example", OPENAI_API_KEY: "sk-real", OWN: "kept" });
    const { code, stdout } = await cli(["run", "--", ...printEnvironment], env);
    expect(code).toBe(0);
    const seen = JSON.parse(stdout) as Record<string, string>;
    expect(seen).toMatchObject({
      OWN: "kept",
      NO_PROXY: "corp.example,127.0.0.1,localhost",
      no_proxy: "127.0.0.1,localhost",
      COPILOT_MODEL: "gpt-5.5",
      COPILOT_PROVIDER_WIRE_API: "responses",
      OPENAI_BASE_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/openai\/v1$/),
      ANTHROPIC_BASE_URL: expect.stringMatching(/\/anthropic$/),
    });
    expect(seen.OPENAI_API_KEY).toMatch(/^ckg-/);
    expect(seen.ANTHROPIC_AUTH_TOKEN).toBe(seen.OPENAI_API_KEY);
    expect(Object.keys(seen)).not.toContain("AZURE_OPENAI_ENDPOINT");
    expect(stdout).not.toMatch(/pl4nted|IDENTITY_HEADER|IDENTITY_ENDPOINT|sk-real/);
  });

  test("--demo needs no Azure, no configuration and no @azure/identity", async () => {
    const result = await cli(["run", "--demo", "--", process.execPath, "--input-type=module", "-e", ASK]);
    expect([result.code, result.stdout]).toEqual([0, "200 true\n"]);
  });

  test("the exit code is the command's, or that of its signal; the gateway ends with it", async () => {
    const env = ofUser();
    const exit = (script: string) => cli(["run", "--", process.execPath, "-e", script], env);
    expect((await exit("process.exit(7)")).code).toBe(7);
    expect((await exit("process.kill(process.pid, 'SIGKILL')")).code).toBe(137);
    const { stdout } = await exit("console.log(new URL(process.env.OPENAI_BASE_URL).port)");
    const socket = connect(Number(stdout), "127.0.0.1");
    await expect(once(socket, "connect")).rejects.toThrow(/ECONNREFUSED/);
  });

  test("a command that does not exist is told, with 127", async () => {
    const result = await cli(["run", "--demo", "--", "no-such-command"]);
    expect(result.code).toBe(127);
    expect(result.stderr).toMatch(/no-such-command.*gateway\/command-not-found/);
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s reaches the command", async (signal) => {
    const script = `process.on("${signal}", () => { console.log("told"); process.exit(3); }); console.log("ready"); setInterval(() => {}, 1e6);`;
    const args = [join(root, "dist/cli.cjs"), "run", "--", process.execPath, "-e", script];
    const child = spawn(process.execPath, args, { env: ofUser(), stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface(child.stdout);
    expect(await once(lines, "line")).toEqual(["ready"]);
    const told = once(lines, "line");
    const exited = once(child, "exit");
    child.kill(signal);
    expect(await told).toEqual(["told"]);
    expect(await exited).toEqual([3, null]);
  });
});

describe("gateway", () => {
  test("records with OpenTelemetry where its SDK was started before", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    const started = join(root, "tests/e2e/gateway/telemetry/prometheus.mjs");
    const env = ofUser({
      NODE_OPTIONS: `--import ${started}`,
      OTEL_EXPORTER_PROMETHEUS_PORT: `${port}`,
    });
    const { child, url, key } = await serving(env);
    child.stderr?.resume();
    const { status } = await fetch(`${url}/openai/v1/responses`, {
      method: "POST",
      headers: { "api-key": key, "content-type": "application/json" },
      body: JSON.stringify({ model: "gpt-5.5", input: "Hello" }),
    });
    expect(status).toBe(200);
    const scraped = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await expect.poll(scraped).toMatch(/^gen_ai_client_token_usage_count\{.*"gpt-5.5".*\} 1$/m);
    expect(await scraped()).toMatch(/^copilot_keyless_token_remaining\{.*\} [\d.]+$/m);
    expect(await scraped()).not.toMatch(new RegExp(`${key}|eyJ|Hello`));
  });
});

describe("credential", () => {
  const issued = () => emulator.counts.identity;

  test("credential prints the token of a running gateway, over a socket for its user alone", async () => {
    const env = ofUser();
    await serving(env);
    const before = issued();
    const first = await cli(["credential"], env);
    const second = await cli(["credential"], env);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(second.stdout).toBe(first.stdout);
    expect(issued() - before).toBe(1);
    const folder = join(env.XDG_RUNTIME_DIR as string, `copilot-keyless-${process.getuid?.()}`);
    const [socket] = readdirSync(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, socket as string)).mode & 0o077).toBe(0);
    // A socket that others might have put there is not asked.
    chmodSync(folder, 0o777);
    expect((await cli(["credential"], env)).code).toBe(0);
    expect(issued() - before).toBe(2);
  });

  test("a socket that a killed gateway left behind is ignored, and taken over", async () => {
    const env = ofUser();
    const { child } = await serving(env);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect((await cli(["credential"], env)).stdout).toMatch(/^eyJ/);
    await serving(env);
    const before = issued();
    await cli(["credential"], env);
    await cli(["credential"], env);
    expect(issued() - before).toBe(1);
  });

  test("without a gateway it is acquired anew; --cache keeps it in a file for its owner alone", async () => {
    const env = ofUser();
    const file = join(env.HOME as string, "cache/token.json");
    const before = issued();
    const tokens = await Promise.all([cli(["credential"], env), cli(["credential"], env)]);
    expect(new Set(tokens.map(({ stdout }) => stdout)).size).toBe(2);
    const first = await cli(["credential", "--cache", file], env);
    expect(await cli(["credential", "--cache", file], env)).toEqual(first);
    expect(issued() - before).toBe(3);
    expect([statSync(file).mode & 0o777, statSync(dirname(file)).mode & 0o777]).toEqual([0o600, 0o700]);
    // Another scope, another token.
    const other = await cli(
      ["credential", "--cache", file, "--scope", "https://cognitiveservices.azure.com/.default"],
      env,
    );
    expect(other.stdout).not.toBe(first.stdout);
    expect(readdirSync(dirname(file))).toEqual(["token.json"]);
  });

  test("a failure prints nothing to standard output", async () => {
    const result = await cli(
      ["credential", "-e", "https://myres.openai.azure.com"],
      newcomer({ AZURE_TOKEN_CREDENTIALS: "dev" }),
    );
    expectTold(result, "credential/unavailable", /az login/);
  });
});
