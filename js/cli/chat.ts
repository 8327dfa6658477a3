import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import { FoundryAgent } from "copilot-keyless";
import type { Emulator } from "copilot-keyless/emulator";
import { clean, json, oneLine } from "./clean.js";
import { err } from "./colors.js";
import { DEMO_TOKEN_SECONDS, startDemo } from "./demo.js";
import { Interruption } from "./interruption.js";
import { type EndpointOptions, providerOptions } from "./options.js";
import { withLoopback } from "./proxy.js";
import { report, warn } from "./report.js";

interface ChatOptions extends EndpointOptions {
  demo?: boolean;
  json?: boolean;
}

/** Prompts of a chat without a prompt and without a terminal. */
const SAMPLE_PROMPTS = [
  "Hello! In one sentence: who are you?",
  "And how did this request get here without an API key?",
];

/** The summary that is printed at the end. */
interface Summary {
  session: string | undefined;
  turns: number;
  tokensFetched: number;
  requestsServed: number;
  firstByteMs: number[];
}

export async function chat(prompt: string | undefined, options: ChatOptions): Promise<number> {
  const summary: Summary = {
    session: undefined,
    turns: 0,
    tokensFetched: 0,
    requestsServed: 0,
    firstByteMs: [],
  };
  // Read before Ctrl-C is handled: until the chat starts, it ends the program.
  const message = prompt === "-" ? (await text(process.stdin)).trim() : prompt;
  const emulator = await startDemoHere(options);
  const interruption = new Interruption();
  const replies: string[] = [];
  try {
    const interactive = message === undefined && process.stdin.isTTY === true && !options.json;
    const agent = new FoundryAgent({
      ...providerOptions(options),
      tokens: {
        onEvent: (event) => {
          if (event.type === "refresh-succeeded") summary.tokensFetched += 1;
        },
      },
      preset: "chat",
      session: {
        onEvent: (event) => {
          if (event.type === "assistant.usage") summary.requestsServed += 1;
        },
      },
    });
    try {
      printIntroduction(agent, emulator, options);
      for await (const line of interactive ? typedPrompts(interruption) : fixedPrompts(message, options)) {
        try {
          replies.push(await turn(agent, line, summary, interruption, options));
        } catch (error) {
          // At a terminal the chat goes on: the next message may succeed.
          if (!interactive) throw error;
          report(error, { debug: false, json: false });
        }
        summary.session ??= await agent.sessionId?.catch(() => undefined);
      }
    } finally {
      await agent.close();
    }
    if (summary.turns > 0) printSummary(summary, replies, options, emulator !== undefined);
    return replies.length > 0 ? 0 : 1;
  } catch (error) {
    if (!interruption.raised) throw error;
    process.stderr.write("\nInterrupted.\n");
    return 130;
  } finally {
    interruption.close();
    await emulator?.stop();
  }
}

/** Starts the emulator, if it is asked for, as the endpoint and the identity of this process. */
async function startDemoHere(options: ChatOptions): Promise<Emulator | undefined> {
  const emulator = await startDemo(options);
  // The Copilot runtime and @azure/identity would use a proxy even for this machine.
  if (emulator) Object.assign(process.env, emulator.env, withLoopback(process.env));
  return emulator;
}

function printIntroduction(agent: FoundryAgent, emulator: Emulator | undefined, options: ChatOptions): void {
  warn(agent.provider.warnings);
  if (options.json) return;
  const { model, endpoint } = agent.provider;
  const where = emulator
    ? `the embedded emulator, tokens live ${DEMO_TOKEN_SECONDS} s (set FOUNDRY_RESOURCE_URL for real Foundry)`
    : endpoint.baseUrl;
  process.stderr.write(`${err.dim(oneLine(`${model} at ${where}`))}\n`);
}

/** Yields the prompt of the command line, or else the sample prompts. */
function* fixedPrompts(prompt: string | undefined, options: ChatOptions): Generator<string> {
  for (const line of prompt === undefined ? SAMPLE_PROMPTS : [prompt]) {
    if (prompt === undefined && !options.json) process.stderr.write(`\n${err.dim("you")} ${line}\n`);
    yield line;
  }
}

/**
 * Yields the lines that the user types, until an empty line, Ctrl-D, or Ctrl-C at the prompt. A
 * line typed during a reply is the next message. The terminal delivers Ctrl-C as a key, so the
 * runtime does not receive the signal.
 */
async function* typedPrompts(interruption: Interruption): AsyncGenerator<string> {
  process.stderr.write(err.dim("Type a message. An empty line or Ctrl-D ends the chat.\n"));
  const terminal = createInterface({
    input: process.stdin,
    output: process.stderr,
    prompt: `${err.bold("you")} `,
  });
  let closed = false;
  terminal.once("close", () => {
    closed = true;
  });
  const showPrompt = () => {
    // A prompt on a closed terminal would wait for input again.
    if (closed) return;
    process.stderr.write("\n");
    terminal.prompt();
  };
  terminal.on("SIGINT", () => interruption.raise());
  interruption.action = () => terminal.close();
  try {
    showPrompt();
    for await (const line of terminal) {
      if (line.trim() === "") return;
      yield line;
      interruption.listen();
      showPrompt();
    }
  } finally {
    terminal.close();
    process.stderr.write("\n");
  }
}

/** Runs one turn and streams the reply to standard output. */
async function turn(
  agent: FoundryAgent,
  prompt: string,
  summary: Summary,
  interruption: Interruption,
  options: ChatOptions,
): Promise<string> {
  const stop = new AbortController();
  const previousAction = interruption.action;
  interruption.action = () => stop.abort();
  const started = performance.now();
  let reply = "";
  try {
    for await (const piece of agent.stream(prompt, { signal: stop.signal })) {
      if (reply === "") summary.firstByteMs.push(Math.round(performance.now() - started));
      reply += piece;
      if (!options.json) process.stdout.write(clean(piece));
    }
    summary.turns += 1;
    return reply;
  } finally {
    interruption.action = previousAction;
    if (reply !== "" && !options.json) process.stdout.write("\n");
  }
}

function printSummary(summary: Summary, replies: string[], options: ChatOptions, demo: boolean): void {
  if (options.json) {
    process.stdout.write(json({ replies, ...summary }));
    return;
  }
  const { session, turns, tokensFetched, requestsServed, firstByteMs } = summary;
  const rows = [
    ["session", session ?? "none"],
    ["turns", `${turns}`],
    ["tokens", `${tokensFetched} fetched${demo ? " from the managed identity endpoint" : ""}, no API key`],
    ["requests", `${requestsServed} served`],
    ["first byte", firstByteMs.map((ms) => `${ms} ms`).join(", ") || "none"],
  ];
  process.stderr.write(
    `\n${rows.map(([name, value]) => `${err.dim(name?.padEnd(11) ?? "")}${value}`).join("\n")}\n`,
  );
}
