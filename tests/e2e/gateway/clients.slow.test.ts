// Runs real programs through the gateway, started as their own documentation says: the Copilot CLI
// without a GitHub login, and `openai` for Python. `openai` for Node is in the unit tests.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { type EmulatorOptions, startEmulator } from "copilot-keyless/emulator";
import { describe, expect, onTestFinished, test } from "vitest";
import { installLocked } from "../../support/install-locked.js";
import { newcomer, type Run, root, run } from "../../support/process.js";
import { cli } from "../cli/support.js";

const home = join(root, "tests/e2e/gateway/clients");
installLocked(home, "Installing the Copilot CLI: 200 MB, once");
const copilot = join(home, "node_modules/.bin/copilot");

async function resource(options: EmulatorOptions = {}) {
  const emulator = await startEmulator({ chunkDelayMs: 0, platformCache: false, ...options });
  onTestFinished(() => emulator.stop());
  // The programs of a client: node for the Copilot CLI's start, git and others for its turn.
  const env = newcomer({ ...emulator.env, PATH: process.env.PATH ?? "" });
  return {
    emulator,
    env: { ...env, COPILOT_OFFLINE: "true", COPILOT_HOME: join(env.HOME as string, ".copilot") },
  };
}

/** Starts a gateway that stays, and returns what it prints for a client. */
async function serving(env: Record<string, string>, client: string): Promise<Record<string, string>> {
  const args = [join(root, "dist/cli.js"), "gateway", "--json", "--for", client];
  const child = spawn(process.execPath, args, { env });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return JSON.parse(line).clients[client].env;
}

const prompt = ["-p", "hello"];
const reply = /You said: "hello"/;

describe("the Copilot CLI", { timeout: 180_000 }, () => {
  test("run --demo -- copilot -p hello: no GitHub login, no Azure, no configuration", async () => {
    const result = await cli(
      ["run", "--demo", "--", copilot, ...prompt],
      newcomer({ PATH: process.env.PATH ?? "" }),
    );
    expect([result.code, result.stdout]).toEqual([0, expect.stringMatching(reply)]);
  });

  test("a revoked token, and a 429 with Retry-After, go unnoticed", async () => {
    const { emulator, env } = await resource();
    // Without the identity: only the gateway can get a token.
    const { IDENTITY_ENDPOINT: _1, IDENTITY_HEADER: _2, ...own } = env as Record<string, string>;
    const ofClient = await serving(env, "copilot");
    const ask = () => run(copilot, prompt, { env: { ...own, ...ofClient } });
    expect((await ask()).stdout).toMatch(reply);
    emulator.revokeTokens();
    const limited = emulator.faults.add({
      server: "foundry",
      kind: "status",
      status: 429,
      match: "responses",
      headers: { "retry-after": "1" },
    });
    const second = await ask();
    expect([second.code, second.stdout]).toEqual([0, expect.stringMatching(reply)]);
    expect(limited.hits).toBe(1);
    expect(emulator.counts.unauthorized).toBe(1);
  });

  test("a missing role: the user sees what to do, after one request", async () => {
    const { emulator, env } = await resource({ roles: [] });
    const { code, stdout, stderr } = await cli(["run", "--", copilot, ...prompt], env);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain("az role assignment create");
    expect(emulator.counts.foundry).toBe(1);
  });
});

describe("openai for Python", { timeout: 180_000 }, () => {
  /** A virtual environment beside the clients, made when it is first needed. */
  const python = join(home, "node_modules/.python/bin/python");
  if (!existsSync(join(dirname(python), "openai"))) {
    execFileSync("python3", ["-m", "venv", join(dirname(python), "..")]);
    execFileSync(python, ["-m", "pip", "install", "--quiet", "openai==3.57.0"]);
  }

  async function runs(env: Record<string, string>, program: string): Promise<Run> {
    const file = join(env.HOME as string, "ask.py");
    writeFileSync(file, program);
    return cli(["run", "--", python, file], env);
  }

  test("a turn and a stream, by the environment of run alone", async () => {
    const { emulator, env } = await resource();
    const program = `
from openai import OpenAI
client = OpenAI(max_retries=0)
print(client.responses.create(model="gpt-5.5", input="hello").output_text)
with client.responses.stream(model="gpt-5.5", input="hello") as events:
    print("".join(event.delta for event in events if event.type == "response.output_text.delta"))
`;
    // A proxy would get what is meant for this machine.
    const result = await runs(
      { ...env, HTTP_PROXY: "http://127.0.0.1:9", NO_PROXY: "corp.example" },
      program,
    );
    expect(result.stdout.match(new RegExp(reply, "g"))).toHaveLength(2);
    expect(emulator.counts.identity).toBe(1);
  });

  test("a missing role: the message says what to do, after one request", async () => {
    const { emulator, env } = await resource({ roles: [] });
    const program = `
from openai import BadRequestError, OpenAI
try:
    OpenAI().responses.create(model="gpt-5.5", input="hello")
except BadRequestError as error:
    print(error.code, error.message)
`;
    const { stdout } = await runs(env, program);
    expect(stdout).toMatch(/^model\/missing-role .*az role assignment create/s);
    expect(emulator.counts.foundry).toBe(1);
  });
});
