import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import { FoundryAgent, KeylessError } from "copilot-keyless";
import type { Emulator } from "copilot-keyless/emulator";
import { clean, json, oneLine } from "./clean.js";
import { err } from "./colors.js";
import { Interruption } from "./interruption.js";
import { type EndpointOptions, providerOptions } from "./options.js";
import { report, warn } from "./report.js";

interface ChatOptions extends EndpointOptions {
  demo?: boolean;
  json?: boolean;
}

/** Short enough to see a token refreshed in a chat of a minute. */
const DEMO_TOKEN_SECONDS = 60;

/** Said when nobody is there to say something. */
const SAMPLE = [
  "Hello! In one sentence: who are you?",
  "And how did this request get here without an API key?",
];

/** What the summary tells. */
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
  // Read before Ctrl-C is caught: until there is something to end, it ends the program.
  const said = prompt === "-" ? (await text(process.stdin)).trim() : prompt;
  const emulator = options.demo && !configured(options) ? await startDemo() : undefined;
  const interruption = new Interruption();
  const replies: string[] = [];
  try {
    const interactive = said === undefined && process.stdin.isTTY === true && !options.json;
    const agent = new FoundryAgent({
      ...providerOptions(options),
      tokens: {
        onEvent: (event) => {
          if (event.type === "refresh-succeeded") summary.tokensFetched += 1;
        },
      },
      session: {
        // A chat, not an agent at work: no tools.
        availableTools: [],
        onEvent: (event) => {
          if (event.type === "assistant.usage") summary.requestsServed += 1;
        },
      },
    });
    try {
      introduce(agent, emulator, options);
      for await (const line of interactive ? typed(interruption) : given(said, options)) {
        try {
          replies.push(await turn(agent, line, summary, interruption, options));
        } catch (error) {
          // At the terminal the next message may fare better.
          if (!interactive) throw error;
          report(error, { debug: false, json: false });
        }
        summary.session ??= await agent.sessionId?.catch(() => undefined);
      }
    } finally {
      await agent.close();
    }
    if (summary.turns > 0) finish(summary, replies, options, emulator !== undefined);
    return replies.length > 0 ? 0 : 1;
  } catch (error) {
    if (!interruption.came) throw error;
    process.stderr.write("\nInterrupted.\n");
    return 130;
  } finally {
    interruption.close();
    await emulator?.stop();
  }
}

/** Whether an endpoint is given, well or badly: the emulator is only for those who have none. */
function configured(options: ChatOptions): boolean {
  try {
    new FoundryAgent(providerOptions(options)).provider.close();
    return true;
  } catch (error) {
    return !(
      error instanceof KeylessError &&
      error.code === "endpoint/empty" &&
      options.endpoint === undefined
    );
  }
}

async function startDemo(): Promise<Emulator> {
  const { startEmulator } = await import("copilot-keyless/emulator");
  const emulator = await startEmulator({ tokenLifetimeSeconds: DEMO_TOKEN_SECONDS });
  // A proxy leads nowhere from here; the Copilot runtime and @azure/identity would take it all the same.
  const past = { NO_PROXY: beside("NO_PROXY"), no_proxy: beside("no_proxy") };
  Object.assign(process.env, emulator.env, past);
  return emulator;
}

/** A list of hosts that are reached without a proxy, and this machine. */
function beside(name: "NO_PROXY" | "no_proxy"): string {
  return [process.env[name], "127.0.0.1"].filter(Boolean).join(",");
}

function introduce(agent: FoundryAgent, emulator: Emulator | undefined, options: ChatOptions): void {
  warn(agent.provider.warnings);
  if (options.json) return;
  const { model, endpoint } = agent.provider;
  const where = emulator
    ? `the embedded emulator, tokens live ${DEMO_TOKEN_SECONDS} s (set FOUNDRY_RESOURCE_URL for real Foundry)`
    : endpoint.baseUrl;
  process.stderr.write(`${err.dim(oneLine(`${model} at ${where}`))}\n`);
}

/** What the command line says: its prompt, or else the sample. */
function* given(prompt: string | undefined, options: ChatOptions): Generator<string> {
  for (const line of prompt === undefined ? SAMPLE : [prompt]) {
    if (prompt === undefined && !options.json) process.stderr.write(`\n${err.dim("you")} ${line}\n`);
    yield line;
  }
}

/**
 * What the user types, until an empty line, Ctrl-D, or Ctrl-C at the prompt. What is typed while a reply streams is the next
 * message; and since the terminal passes Ctrl-C on as a key, the runtime does not die of it.
 */
async function* typed(interruption: Interruption): AsyncGenerator<string> {
  process.stderr.write(err.dim("Type a message; an empty one or Ctrl-D ends the chat.\n"));
  const terminal = createInterface({
    input: process.stdin,
    output: process.stderr,
    prompt: `${err.bold("you")} `,
  });
  let open = true;
  terminal.once("close", () => {
    open = false;
  });
  const ask = () => {
    // Asking a closed one would wait for input again.
    if (!open) return;
    process.stderr.write("\n");
    terminal.prompt();
  };
  terminal.on("SIGINT", () => interruption.raise());
  interruption.action = () => terminal.close();
  try {
    ask();
    for await (const line of terminal) {
      if (line.trim() === "") return;
      yield line;
      interruption.listen();
      ask();
    }
  } finally {
    terminal.close();
    process.stderr.write("\n");
  }
}

/** One turn, streamed to standard output as it comes. */
async function turn(
  agent: FoundryAgent,
  prompt: string,
  summary: Summary,
  interruption: Interruption,
  options: ChatOptions,
): Promise<string> {
  const stop = new AbortController();
  const before = interruption.action;
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
    interruption.action = before;
    if (reply !== "" && !options.json) process.stdout.write("\n");
  }
}

function finish(summary: Summary, replies: string[], options: ChatOptions, demo: boolean): void {
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
