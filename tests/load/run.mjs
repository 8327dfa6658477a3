// Sends turns at a steady rate to the chat handler behind Express and Hono, each in a process of its
// own with a Copilot runtime, on tokens of 15 seconds. Some callers leave early. Those that are told
// 503 with Retry-After ask again then.

import { Agent } from "node:http";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startEmulator } from "copilot-keyless/emulator";
import { answerTo, EVENTS_TYPE, JSON_TYPE, open, read } from "../hostile/http.mjs";
import { startServer } from "../hostile/servers.mjs";
import { randomOf } from "../soak/random.mjs";

const PROGRAM = join(dirname(fileURLToPath(import.meta.url)), "../support/chat-server/main.mjs");
const ADAPTERS = ["express", "hono"];
const TOKEN_SECONDS = 15;
/** Callers of each server. Each has at most one turn in each of its conversations. */
const CALLERS = 20;
const TURNS_EACH = 5;
/** The share of the callers who leave, before the reply or in the middle of it. */
const LEAVE = 0.1;
// Conversations of callers who wait for a slot must not be ended for others.
const LIMITS = { turnsPerCaller: 50, conversations: 5_000 };
const PATIENCE_MS = 60_000;
const FREE_MS = 10_000;
/** How long a caller goes on asking after it was told to come later. */
const PERSISTENCE_MS = 180_000;

/** The replies of the emulated model: whose question it was, and which turn of its conversation. */
const reply = ({ prompt, turn }) => `${prompt}, in turn ${turn}: ${"and so on, ".repeat(8)}the end.`;

/** Runs for some minutes and returns the turns, and what the servers were left with. */
export async function run({ rate, minutes, limit, seed, signal, onProgress }) {
  const emulator = await startEmulator({
    chunkDelayMs: 2,
    platformCache: false,
    tokenLifetimeSeconds: TOKEN_SECONDS,
    logLimit: 100,
    reply,
  });
  const servers = await Promise.all(
    ADAPTERS.map((name) => {
      const options = JSON.stringify({ limits: { ...LIMITS, turns: limit } });
      const paths = { chat: "/api/chat", status: "/api/health" };
      return startServer(name, [PROGRAM, name, options], emulator.env, paths);
    }),
  );
  const turns = [];
  try {
    onProgress("warm up");
    for (const server of servers) {
      await turnOf(server, new Caller(server, "warm"), { prompt: "Warm up" }, 0);
      server.watchMemory();
    }
    const before = { ...emulator.counts };
    onProgress(`${rate} turns a minute`);
    const began = performance.now();
    const running = new Set();
    const total = Math.round(rate * minutes);
    const callers = servers.flatMap((server) =>
      Array.from({ length: CALLERS }, (_, index) => new Caller(server, `caller ${index}`)),
    );
    const random = randomOf(seed, "load");
    for (let number = 0; number < total && !signal.aborted; number += 1) {
      const due = began + (number * 60_000) / rate;
      if (due > performance.now()) await sleep(due - performance.now());
      const turn = callers[number % callers.length].turn(number, random, due);
      running.add(turn);
      turn.then((told) => {
        running.delete(turn);
        turns.push(told);
      });
    }
    const sentMs = performance.now() - began;
    await Promise.all(running);
    const ranMs = performance.now() - began;
    onProgress("end");
    const held = await free(servers);
    const tokens = emulator.counts.identity - before.identity;
    const unauthorized = emulator.counts.unauthorized - before.unauthorized;
    for (const caller of callers) caller.agent.destroy();
    const ends = await Promise.all(
      servers.map(async (server) => {
        const { memory, alive } = server;
        const { code } = await server.stop();
        return [server.name, { alive, memory, exit: code, held: held[server.name] }];
      }),
    );
    return { turns, sentMs, ranMs, tokens, unauthorized, servers: Object.fromEntries(ends) };
  } finally {
    for (const server of servers) if (server.alive) await server.stop();
    await emulator.stop();
  }
}

/** One caller, with the conversations that it can continue. */
class Caller {
  agent = new Agent({ keepAlive: true });
  #idle = [];

  constructor(server, name) {
    this.server = server;
    this.name = `${server.name} ${name}`;
  }

  /** Asks one question in an idle conversation, or in a new one. Never rejects. */
  async turn(number, random, due) {
    const conversation = this.#idle.shift() ?? { turn: 0 };
    const prompt = `${this.name}, question ${number}`;
    const choices = {
      accept: random.chance(0.5) ? EVENTS_TYPE : JSON_TYPE,
      leaveAfterMs: random.chance(LEAVE) ? random.whole(5, 120) : undefined,
    };
    const began = performance.now();
    const told = { server: this.server.name, lateMs: began - due };
    const question = { prompt, sessionId: conversation.id };
    let outcome;
    let refused = 0;
    for (;;) {
      outcome = await turnOf(this.server, this, question, conversation.turn, choices).catch((error) => ({
        lost: String(error.message),
      }));
      const { status, retryAfter, unseen } = outcome;
      if (unseen) continue;
      if (status !== 503 || !(retryAfter > 0) || performance.now() - began > PERSISTENCE_MS) break;
      refused += 1;
      // A little later than told, or all of them would come at once.
      await sleep(retryAfter * 1_000 * (1 + Math.random()));
    }
    const { id, status: _, retryAfter: __, ...known } = outcome;
    // A conversation whose caller has left may still be busy: it is not continued.
    if (id !== undefined && conversation.turn + 1 < TURNS_EACH)
      this.#idle.push({ id, turn: conversation.turn + 1 });
    return { ...told, ...known, refused, prompt, tookMs: performance.now() - began };
  }
}

/** Asks a question, and checks that the reply is its own. Rejects if there is none. */
async function turnOf({ url }, { name, agent }, question, turn, { accept = JSON_TYPE, leaveAfterMs } = {}) {
  const sent = open(url.chat, { headers: { accept, "x-test-caller": name }, agent });
  const answered = answerTo(sent, PATIENCE_MS);
  let left = false;
  const leave = () => {
    left = true;
    sent.destroy(new Error("The caller has left"));
  };
  const timer = leaveAfterMs === undefined ? undefined : setTimeout(leave, leaveAfterMs);
  sent.end(JSON.stringify(question));
  try {
    const { code, reply: said, sessionId, status, retryAfter } = read(await answered);
    if (code !== undefined) return { lost: code, status, retryAfter: Number(retryAfter) };
    if (said === reply({ prompt: question.prompt, turn })) return { id: sessionId };
    // Its own question, but a history that lacks a turn or has one twice.
    if (said.startsWith(`${question.prompt}, in turn `)) return { lost: `history: ${said.slice(0, 100)}` };
    return { crossed: said.slice(0, 200) };
  } catch (error) {
    if (left) return { left };
    // The server closed an idle connection as the request was sent, and has not seen it.
    if (error.code === "ECONNRESET" && sent.reusedSocket) return { unseen: true };
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Returns the turns that each server still runs, after some time to end them. */
async function free(servers) {
  const until = performance.now() + FREE_MS;
  for (;;) {
    const held = {};
    for (const server of servers) held[server.name] = (await server.status()).turns;
    if (performance.now() > until || Object.values(held).every((turns) => turns === 0)) return held;
    await sleep(200);
  }
}
