// What each client does through the gateway while the resource and the identity behave well or badly.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { type Emulator, type ReplyRequest, startEmulator } from "copilot-keyless/emulator";
import { newcomer, type Run, root, run } from "../../support/process.js";
import type { Client, Mode } from "./client.js";

const REPLY = "All seventeen lights are green.";
const TOOL_RAN = "tool-ran-42";
const CLI = join(root, "dist/cli.cjs");
/** The longest run of a client, in milliseconds. */
const DEADLINE = 150_000;
/** Of the case with a long turn: tokens live shorter than the model takes for its first reply. */
const SHORT = { tokenLifetimeSeconds: 4, firstReplyMs: 6000 };

/** An emulator, a gateway that stays, and how to ask it by a client. */
export interface Setup {
  emulator: Emulator;
  gateway: ChildProcess;
  /** The requests to the model. */
  asked: ReplyRequest[];
  clients: Record<string, { env: Record<string, string>; command: string }>;
}

/** Answers with a call of a tool that there is, until it has run. */
function reply(request: ReplyRequest) {
  if (!request.prompt.includes("Use a tool") || request.toolResults.length > 0) return REPLY;
  const find = (pattern: RegExp) => request.tools.find(({ name }) => pattern.test(name));
  const own = find(/^answer$/);
  if (own) return { toolCalls: [{ name: own.name, arguments: {} }] };
  const shell = find(/^(bash|exec_command|shell_command|run_shell_command|shell)$/i);
  if (!shell) return REPLY;
  const text = "echo tool-ran-$((6*7))";
  const command = shell.name === "shell" ? ["sh", "-c", text] : text;
  const argument = shell.name === "exec_command" ? "cmd" : "command";
  const more = shell.name === "run_shell_command" ? { is_background: false } : {};
  return {
    toolCalls: [{ name: shell.name, arguments: { [argument]: command, description: "Counts", ...more } }],
  };
}

/** Starts an emulator and a gateway for a client. */
export async function setUp(
  { model = "gpt-5.5" }: Client,
  { tokenLifetimeSeconds = 3600, firstReplyMs = 0 } = {},
): Promise<Setup> {
  const asked: ReplyRequest[] = [];
  const emulator = await startEmulator({
    model,
    tokenLifetimeSeconds,
    chunkDelayMs: 0,
    platformCache: false,
    reply: async (request) => {
      asked.push(request);
      if (asked.length === 1) await setTimeout(firstReplyMs);
      return reply(request);
    },
  });
  const args = [CLI, "gateway", "--json"];
  const gateway = spawn(process.execPath, args, { env: newcomer({ ...emulator.env }) });
  const [line] = (await once(createInterface(gateway.stdout), "line")) as [string];
  return { emulator, gateway, asked, clients: JSON.parse(line).clients };
}

export async function tearDown({ emulator, gateway }: Setup): Promise<void> {
  gateway.kill("SIGKILL");
  await emulator.stop();
}

/** An environment without anything of Azure's, in a home and a folder of its own. */
function environment({ path, env }: Client): Record<string, string> {
  return newcomer({ PATH: [...path, process.env.PATH].join(delimiter), TERM: "dumb", ...env });
}

/** Runs a command of a client in a new folder with its files. */
function runIn({ files = {} }: Client, command: string, args: string[], env: Record<string, string>) {
  const cwd = mkdtempSync(join(tmpdir(), "ck-client-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  return run(command, args, { env, cwd, signal: AbortSignal.timeout(DEADLINE) });
}

/** Asks by a client through the gateway that stays. */
function ask({ clients }: Setup, client: Client, mode: Mode, prompt = "hello"): Promise<Run> {
  const { env, command } = clients[client.recipe] as Setup["clients"][string];
  const line = client.command(command, mode, prompt);
  return runIn(client, "/bin/sh", ["-c", line], { ...environment(client), ...env });
}

/** Asks by a client that `run` starts. */
async function askByRun({ emulator, clients }: Setup, client: Client): Promise<Run> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  const { command } = clients[client.recipe] as Setup["clients"][string];
  // An address in the command line is known only with a port of one's own.
  const own = client.command(command, "turn", "hello").replace(/127\.0\.0\.1:\d+/g, `127.0.0.1:${port}`);
  const fixed = client.byEnvironment ? [] : ["--port", `${port}`];
  const args = [CLI, "run", ...fixed, "--", "/bin/sh", "-c", own];
  return runIn(client, process.execPath, args, { ...environment(client), ...emulator.env });
}

/** A case. Returns what is worth a note; throws if the client does not do what it should. */
type Case = (setup: Setup, client: Client) => Promise<string | undefined>;

function expectReply({ code, stdout, stderr }: Run): void {
  if (code !== 0 || !stdout.includes(REPLY)) throw new Error(`exit code ${code}\n${stdout}\n${stderr}`);
}

/** Makes a client use its tool. */
async function useTool(setup: Setup, client: Client): Promise<void> {
  expectReply(await ask(setup, client, "tool", "Use a tool"));
  const results = setup.asked.flatMap(({ toolResults }) => toolResults.map(({ text }) => text));
  if (!results.some((text) => text.includes(TOOL_RAN))) throw new Error(`results: ${results.join("\n")}`);
}

export const CASES: Record<string, Case> = {
  turn: async (setup, client) => {
    const { asked } = setup;
    asked.length = 0;
    expectReply(await ask(setup, client, "turn"));
    return asked.some(({ stream }) => stream) ? "always streams" : undefined;
  },
  "by `run`": async (setup, client) => {
    expectReply(await askByRun(setup, client));
    return client.byEnvironment ? undefined : "`run` needs `--port`";
  },
  stream: async (setup, client) => {
    setup.asked.length = 0;
    expectReply(await ask(setup, client, "stream"));
    if (!setup.asked.some(({ stream }) => stream)) throw new Error("it did not ask for a stream");
    return undefined;
  },
  "tool call": async (setup, client) => {
    setup.asked.length = 0;
    await useTool(setup, client);
    return undefined;
  },
  "token that expires in a long turn": async (_, client) => {
    const setup = await setUp(client, SHORT);
    const { emulator } = setup;
    try {
      if (client.tools === false) expectReply(await ask(setup, client, "turn"));
      else await useTool(setup, client);
      const tokens = emulator.requests
        .filter(({ server }) => server === "foundry")
        .map(({ tokenId }) => tokenId);
      // Without tools a turn is one request, which outlives its token.
      const least = client.tools === false ? 1 : 2;
      if (new Set(tokens).size < least) throw new Error(`the requests had the tokens ${tokens.join()}`);
      if (emulator.counts.unauthorized > 0) throw new Error("an expired token was sent");
    } finally {
      await tearDown(setup);
    }
    return undefined;
  },
  "revoked token": async (setup, client) => {
    const { emulator } = setup;
    const before = emulator.counts.unauthorized;
    // The gateway holds a token after the turns before.
    emulator.revokeTokens();
    expectReply(await ask(setup, client, "turn"));
    const refused = emulator.counts.unauthorized - before;
    if (refused < 1 || refused > 2) throw new Error(`${refused} requests were refused`);
    return undefined;
  },
  "missing role": async (setup, client) => {
    const { emulator } = setup;
    const before = emulator.counts.foundry;
    emulator.foundry.setRoles([]);
    const { stdout, stderr } = await ask(setup, client, "turn").finally(() =>
      emulator.foundry.setRoles(["Foundry User"]),
    );
    if (!/az role assignment create/.test(stdout + stderr))
      throw new Error(`it hides why:\n${stdout}${stderr}`);
    const sent = emulator.counts.foundry - before;
    return sent === 1 ? undefined : `asks ${sent} times without a role`;
  },
  "429 with `Retry-After`": async (setup, client) => {
    const limited = setup.emulator.faults.add({
      server: "foundry",
      kind: "status",
      status: 429,
      headers: { "retry-after": "1" },
    });
    const result = await ask(setup, client, "turn").finally(() => limited.remove());
    if (limited.hits !== 1) throw new Error("the fault was not met");
    expectReply(result);
    return undefined;
  },
  "cut stream": async (setup, client) => {
    const cut = setup.emulator.faults.add({ server: "foundry", kind: "cut-stream", afterEvents: 3 });
    const { code, stdout, stderr } = await ask(setup, client, "stream").finally(() => cut.remove());
    if (cut.hits !== 1) throw new Error("the fault was not met");
    if (stdout.includes(REPLY)) return "asks again after a cut stream";
    if (code === 0 && !/error|terminated|closed/i.test(stdout + stderr))
      throw new Error(`it ends as if nothing had happened:\n${stdout}${stderr}`);
    return "fails on a cut stream";
  },
};
