// The sessions: several kinds, each of which converses until it is told to stop.

import { setTimeout as sleep } from "node:timers/promises";
import { approveAll, defineTool } from "@github/copilot-sdk";
import { createFoundryProvider, FoundryAgent } from "copilot-keyless";
import { randomOf } from "./random.mjs";

/** How long a turn may take: longer than the runtime's six attempts, shorter than a hang. */
export const TURN_MS = 30_000;

/** The header that tells the requests of sessions apart. */
export const SESSION_HEADER = "x-soak-session";

/** How long after its deadline a turn that has not ended is given up, so that the soak ends. */
const GIVEN_UP_MS = 30_000;

/** How long a session of the SDK may take to become idle after a failed turn. */
const QUIET_MS = 20_000;

/** A conversation ends after this many turns: the runtime keeps the history of each open one. */
const TURNS_EACH = 20;

const WORDS = "amber basalt cedar delta ember fjord grove heron inlet juniper kelp lagoon moss".split(" ");

/** Kinds of sessions, assigned in turn. */
const SORTS = [
  { sort: "agent-chat", open: openAgentChat },
  { sort: "agent-stream", open: openAgentStream },
  { sort: "session", open: openSession },
  { sort: "agent-chat-tools", open: openAgentChat, tools: true },
  { sort: "session-tools", open: openSession, tools: true },
];

/**
 * The emulated model: calls the tool as often as the prompt says, then quotes the prompt and the
 * results.
 */
export function reply({ prompt, toolResults }) {
  const { id, lookups } = wishOf(prompt);
  if (toolResults.length < lookups) {
    return { toolCalls: [{ name: "lookup", arguments: { word: `${id}.${toolResults.length + 1}` } }] };
  }
  return replyTo(
    prompt,
    toolResults.map(({ text }) => text),
  );
}

function wishOf(prompt) {
  const [, id = "", lookups = "0"] = /^(\S+)(?: with (\d+) lookups)?:/.exec(prompt) ?? [];
  return { id, lookups: Number(lookups) };
}

function replyTo(prompt, found) {
  return `You said: "${prompt}".${found.map((one) => ` Found ${one}.`).join("")}`;
}

const lookup = defineTool("lookup", {
  description: "Looks a word up",
  parameters: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
  handler: ({ word }) => `what ${word} means`,
});

/** One session and its turns. */
export class Conversation {
  #random;
  #tools;
  #aborts;
  #turns = 0;
  #open;

  constructor(index, { seed, client, agents, onTurn, onEvent }) {
    const { sort, open, tools = false } = SORTS[index % SORTS.length];
    this.index = index;
    this.name = `s${String(index).padStart(2, "0")}`;
    this.sort = sort;
    this.onTurn = onTurn;
    this.#random = randomOf(seed, this.name);
    this.#tools = tools;
    // Every third session has a user who aborts turns.
    this.#aborts = index % 3 === 2;
    this.#open = () => open({ name: this.name, tools, client, agents, onEvent });
  }

  async start() {
    this.session = await this.#open();
  }

  /** Holds turns one after another, with pauses as people make them. */
  async converse(signal) {
    while (!signal.aborted) {
      if (this.#turns > 0 && this.#turns % TURNS_EACH === 0) await this.#renew();
      const abortAfterMs = this.#aborts && this.#random.chance(0.15) ? this.#random.whole(0, 600) : undefined;
      await this.turn(abortAfterMs);
      await sleep(this.#random.whole(400, 4_000), undefined, { signal }).catch(() => {});
    }
  }

  async #renew() {
    await this.session.close();
    this.session = await this.#open();
  }

  /** Holds one turn and reports its outcome to `onTurn`. */
  async turn(abortAfterMs) {
    this.#turns += 1;
    const id = `${this.name}-t${this.#turns}`;
    const lookups = this.#tools ? this.#random.whole(0, 3) : 0;
    const words = Array.from({ length: this.#random.whole(2, 12) }, () => this.#random.pick(WORDS));
    const prompt = `${id}${lookups ? ` with ${lookups} lookups` : ""}: ${words.join(" ")}`;
    const found = Array.from({ length: lookups }, (_, index) => `what ${id}.${index + 1} means`);
    const began = Date.now();
    const told = { name: this.name, sort: this.sort, id, began, expected: replyTo(prompt, found) };
    const ended = this.session
      .ask(prompt, abortAfterMs)
      .then((text) => ({ text }))
      .catch((error) => ({ error }));
    const givenUp = new AbortController();
    const late = sleep(TURN_MS + GIVEN_UP_MS, { lost: true }, { signal: givenUp.signal }).catch(() => {});
    const outcome = await Promise.race([ended, late]);
    givenUp.abort();
    this.onTurn({ ...told, ...outcome, mayAbort: abortAfterMs !== undefined, ms: Date.now() - began });
    await this.session.quiet();
  }

  close() {
    return this.session?.close();
  }
}

/**
 * An agent with its own runtime, which it replaces now and then, for many conversations, as a
 * server has one.
 */
function agentOf(session) {
  return new FoundryAgent({ timeoutMs: TURN_MS, session });
}

/** The agents that the conversations share. */
export function openAgents() {
  return {
    plain: agentOf({ availableTools: [] }),
    tools: agentOf({ tools: [lookup], availableTools: ["lookup"], onPermissionRequest: approveAll }),
  };
}

/** A conversation with its own provider, so that the resource can tell its requests. */
function conversationOf({ name, tools, agents }) {
  const provider = createFoundryProvider({ headers: { [SESSION_HEADER]: name } });
  const conversation = agents[tools ? "tools" : "plain"].conversation({ provider });
  const close = async () => {
    await conversation.close();
    provider.close();
  };
  return { conversation, quiet: async () => {}, close };
}

/** Does some work and, after a delay if there is one, something else meanwhile. */
async function meanwhile(afterMs, disturb, work) {
  const timer = afterMs === undefined ? undefined : setTimeout(disturb, afterMs);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

function openAgentChat(options) {
  const { conversation, ...rest } = conversationOf(options);
  return {
    ...rest,
    ask: (prompt, abortAfterMs) => {
      const stop = new AbortController();
      return meanwhile(
        abortAfterMs,
        () => stop.abort(),
        () => conversation.chat(prompt, { signal: stop.signal }),
      );
    },
  };
}

function openAgentStream(options) {
  const { conversation, ...rest } = conversationOf(options);
  return {
    ...rest,
    ask: (prompt, abortAfterMs) => {
      const texts = conversation.stream(prompt);
      return meanwhile(
        abortAfterMs,
        () => texts.return(),
        async () => {
          let whole = "";
          for await (const text of texts) whole += text;
          return whole;
        },
      );
    },
  };
}

/** A session of the SDK, used as the README shows it. */
async function openSession({ name, tools, client, onEvent }) {
  const foundry = createFoundryProvider({ headers: { [SESSION_HEADER]: name } });
  const session = await client.createSession(
    foundry.sessionConfig({
      streaming: true,
      onPermissionRequest: approveAll,
      ...(tools ? { tools: [lookup], availableTools: ["lookup"] } : { availableTools: [] }),
    }),
  );
  let idle = Promise.resolve();
  let becomeIdle = () => {};
  session.on((event) => {
    onEvent(event);
    if (event.type === "session.idle") becomeIdle();
  });
  foundry.attach(session, onEvent);
  let failed = false;
  return {
    ask: async (prompt, abortAfterMs) => {
      idle = new Promise((resolve) => {
        becomeIdle = resolve;
      });
      failed = true;
      const answer = await meanwhile(
        abortAfterMs,
        () => session.abort().catch(() => {}),
        () => session.sendAndWait({ prompt }, TURN_MS),
      );
      failed = false;
      return answer?.data.content;
    },
    // The end of a failed turn would be taken for the end of the next one.
    quiet: async () => {
      if (!failed) return;
      const stop = new AbortController();
      const abort = session.abort().catch(() => {});
      await Promise.race([
        Promise.all([abort, idle]),
        sleep(QUIET_MS, undefined, { signal: stop.signal }).catch(() => {}),
      ]);
      stop.abort();
    },
    close: async () => {
      await session.disconnect();
      foundry.close();
    },
  };
}
