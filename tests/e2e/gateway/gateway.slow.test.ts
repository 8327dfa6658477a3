// Runs the command `gateway` as a user does; native.slow.test.ts runs it in the native program.

import { once } from "node:events";
import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Emulator, startEmulator } from "copilot-keyless/emulator";
import { afterAll, expect, test } from "vitest";
import { newcomer, run } from "../../support/process.js";
import { expectTold } from "../cli/support.js";
import { ASK, gateway, startGateway } from "./support.js";

const emulator: Emulator = await startEmulator({ chunkDelayMs: 0, platformCache: false });
afterAll(() => emulator.stop());

/** An environment with the emulator's identity, and a folder of its own for sockets. */
function ofUser(env: Record<string, string> = {}): Record<string, string> {
  const XDG_RUNTIME_DIR = mkdtempSync(join(tmpdir(), "ck-run-"));
  return newcomer({ ...emulator.env, XDG_RUNTIME_DIR, ...env });
}

/** Starts `gateway --json`, and returns what it prints. */
async function serving(env: Record<string, string>, ...args: string[]) {
  const { child, line } = await startGateway(["--json", ...args], env);
  return { child, ...(JSON.parse(line) as Printed) };
}

interface Printed {
  url: string;
  key: string;
  clients: Record<string, { command: string }>;
}

test("prints where it is and how each client uses it, logs each request, ends at SIGTERM", async () => {
  const { child, url, key, clients } = await serving(ofUser());
  let log = "";
  child.stderr?.on("data", (chunk) => {
    log += chunk;
  });
  expect(clients.codex?.command).toContain(`base_url = "${url}/openai/v1"`);
  expect(Object.keys(clients)).toEqual(
    expect.arrayContaining(["copilot", "openai", "claude-code", "opencode"]),
  );
  const get = (path: string, headers = {}) => fetch(url + path, { headers }).then(({ status }) => status);
  expect(await get("/openai/v1/models?secret=x", { "api-key": key })).toBe(200);
  expect(await get("/openai/v1/models")).toBe(401);
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
  const entries = log
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(entries).toMatchObject([
    { method: "GET", path: "/openai/v1/models", status: 200 },
    { method: "GET", path: "/openai/v1/models", status: 401, code: "gateway/missing-key" },
  ]);
  expect(log).not.toMatch(/secret|eyJ/);
  expect(log).not.toContain(key);
});

test("--for prints one line, which a shell runs", async () => {
  const env = ofUser();
  const { line } = await startGateway(["--for", "openai"], env);
  writeFileSync(join(env.HOME as string, "ask.mjs"), ASK);
  const command = line.replace("<program>", `${process.execPath} ask.mjs`);
  const result = await run("/bin/sh", ["-c", command], { env: newcomer(), cwd: env.HOME as string });
  expect(result.stdout).toBe("200 true\n");
});

test("--key-file: created for its owner alone, the same at the next start", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "ck-key-")), "key");
  const first = await serving(ofUser(), "--key-file", file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, "utf8")).toBe(`${first.key}\n`);
  expect((await serving(ofUser(), "--key-file", file)).key).toBe(first.key);
  writeFileSync(file, "short\n");
  expectTold(await gateway(["--key-file", file], ofUser()), "gateway/key-file", /16 to 512/);
});

test("COPILOT_KEYLESS_GATEWAY_KEY: the key of a service, which no line shows unless asked for", async () => {
  const COPILOT_KEYLESS_GATEWAY_KEY = "key-of-a-service-1";
  const env = ofUser({ COPILOT_KEYLESS_GATEWAY_KEY });
  const { url, key, clients } = await serving(env);
  expect([key, clients]).toEqual([undefined, undefined]);
  const headers = { "api-key": COPILOT_KEYLESS_GATEWAY_KEY };
  expect((await fetch(`${url}/openai/v1/models`, { headers })).status).toBe(200);
  const asked = await serving(env, "--for", "openai");
  expect(asked.key).toBe(COPILOT_KEYLESS_GATEWAY_KEY);
  expectTold(
    await gateway([], ofUser({ COPILOT_KEYLESS_GATEWAY_KEY: "short" })),
    "gateway/invalid-option",
    /16 to 512/,
  );
});

test("mistakes are told: an address for all without names, a port in use, an unknown client", async () => {
  const env = ofUser();
  expectTold(await gateway(["--host", "0.0.0.0"], env), "gateway/invalid-option", /--allow-host/);
  const { url } = await serving(env);
  expectTold(await gateway(["--port", new URL(url).port], env), "gateway/port-in-use");
  const unknown = await gateway(["--for", "emacs"], env);
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("claude-code")]);
});
