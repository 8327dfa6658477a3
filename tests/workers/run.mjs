// Lets callers converse with several workers of the Azure Functions app that share nothing but the
// storage, on tokens of 15 seconds: each request goes to the next worker, workers are killed, and
// storage fails. The model answers with all prompts of the conversation, so that every reply shows
// the history; each caller keeps a log of its own.

import { setTimeout as sleep } from "node:timers/promises";
import { startEmulator } from "copilot-keyless/emulator";
import { randomOf } from "../soak/random.mjs";
import { createContainer, startAzurite } from "../support/azurite.mjs";
import { balance, keepRunning } from "../support/function-workers.mjs";
import { startStorageProxy } from "../support/storage-proxy.mjs";

const TOKEN_SECONDS = 15;
const KILL_MS = 20_000;
/** The share of the requests to the storage that fail, and how. */
const FAULT_SHARE = 0.05;
const FAULTS = [
  { status: 503, retryAfter: 1 },
  { status: 500 },
  { status: 429, retryAfter: 1 },
  { loseAnswer: true },
  { delayMs: 500 },
];
/** When callers begin, and how long they think between two prompts: 200 of them send 4 a second. */
const FIRST_MS = 50_000;
const THINK_MS = [20_000, 80_000];
/** How long a caller waits for an answer, and how long it goes on asking. */
const ANSWER_MS = 150_000;
const PERSISTENCE_MS = 120_000;

/** The prompts of the conversation, each the last line of a user message. */
const reply = ({ messages }) =>
  messages
    .filter(({ role }) => role === "user")
    .map(({ text }) => text.split("\n").at(-1))
    .join(" ");

/** Runs for some minutes. Returns the turns, and how many requests there were. */
export async function run({ workers: count, conversations, minutes, seed, signal, onProgress }) {
  const emulator = await startEmulator({
    chunkDelayMs: 2,
    platformCache: false,
    tokenLifetimeSeconds: TOKEN_SECONDS,
    logLimit: 100,
    reply,
  });
  const azurite = await startAzurite();
  await createContainer(azurite, "conversations");
  const storage = await startStorageProxy(azurite);
  const faulty = randomOf(seed, "storage");
  let faults = 0;
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    ...emulator.env,
    CONVERSATIONS_ACCOUNT: storage.account,
    CONVERSATIONS_CONTAINER: "conversations",
    NODE_EXTRA_CA_CERTS: azurite.certFile,
  };
  let starts = 0;
  const workers = Array.from({ length: count }, () =>
    keepRunning(env, {
      onStart: () => {
        starts += 1;
      },
    }),
  );
  const balancer = await balance(workers);
  try {
    onProgress("start of the workers");
    while (workers.some(({ port }) => port === undefined)) await sleep(50, undefined, { signal });
    storage.fault = () => {
      if (!faulty.chance(FAULT_SHARE)) return undefined;
      faults += 1;
      return faulty.pick(FAULTS);
    };
    onProgress(`${conversations} conversations`);
    const began = performance.now();
    const ends = began + minutes * 60_000;
    const turns = [];
    const killing = kill(workers, ends, randomOf(seed, "kill"), signal);
    await Promise.all(
      Array.from({ length: conversations }, (_, index) =>
        converse({
          index,
          ends,
          url: balancer.url,
          random: randomOf(seed, `caller ${index}`),
          turns,
          signal,
        }),
      ),
    );
    const killed = await killing;
    const ranMs = performance.now() - began;
    const { calls, bytes } = storage;
    return { turns, killed, starts, faults, calls, bytes, identity: emulator.counts.identity, ranMs };
  } finally {
    onProgress("end");
    balancer.stop();
    await Promise.all(workers.map((worker) => worker.stop()));
    await storage.stop();
    await azurite.stop();
    await emulator.stop();
  }
}

/** Kills one worker after another. Returns how many. */
async function kill(workers, ends, random, signal) {
  let killed = 0;
  for (;;) {
    await sleep(Math.min(KILL_MS, Math.max(0, ends - performance.now())));
    if (performance.now() >= ends || signal.aborted) return killed;
    const { pid } = random.pick(workers.filter((worker) => worker.pid !== undefined)) ?? {};
    if (pid === undefined) continue;
    process.kill(pid, "SIGKILL");
    killed += 1;
  }
}

/**
 * One caller with one conversation: sends prompts, one after another, until the time is over. `log`
 * says of each prompt what the caller knows: kept, lost, or unsure.
 */
async function converse({ index, ends, url, random, turns, signal }) {
  const log = new Map();
  let sessionId;
  for (let number = 0; performance.now() < ends && !signal.aborted; number += 1) {
    const thinkMs = number === 0 ? random.whole(0, FIRST_MS) : random.whole(...THINK_MS);
    await sleep(Math.max(0, Math.min(thinkMs, ends - performance.now())));
    if (performance.now() >= ends) return;
    const turn = await turnOf({ name: `c${index}t${number}`, sessionId, url, log });
    turns.push(turn);
    sessionId ??= turn.sessionId;
  }
}

/** One turn, sent again after each wait that the caller is told, and after each answer that is cut. */
async function turnOf({ name, sessionId, url, log }) {
  const from = performance.now();
  const turn = { name, answers: [], wrong: [], waits: 0 };
  for (let attempt = 0; performance.now() - from < PERSISTENCE_MS; attempt += 1) {
    const prompt = `${name}a${attempt}`;
    const answer = await ask(url, { prompt, sessionId });
    turn.answers.push(answer.code ?? answer.status);
    if (answer.status === 200) {
      log.set(prompt, "kept");
      turn.wrong.push(...differences(log, answer.reply.split(" ")));
      return { ...turn, tookMs: performance.now() - from, sessionId: answer.sessionId };
    }
    // What was not begun is not in the log of the caller. A new conversation that failed is gone.
    if (answer.code === "chat/turn-lost")
      for (const [one, known] of log) if (known === "unsure") log.set(one, "lost");
    const sure = ["chat/turn-lost", "chat/session-busy", "storage/lease-lost"].includes(answer.code);
    if (sessionId !== undefined && !sure) log.set(prompt, "unsure");
    if (answer.wait > 0) turn.waits += 1;
    await sleep(answer.wait > 0 ? answer.wait * 1000 : 500);
  }
  return { ...turn, failed: true };
}

/** How the history that the model was told differs from the log of the caller. */
function differences(log, told) {
  const wrong = [];
  const count = (prompt) => told.filter((one) => one === prompt).length;
  for (const [prompt, known] of log) {
    const times = count(prompt);
    if (known === "kept" && times !== 1)
      wrong.push(`${prompt} was acknowledged, and is there ${times} times`);
    if (known === "lost" && times !== 0) wrong.push(`${prompt} was told lost, and is there`);
    if (known === "unsure" && times > 1) wrong.push(`${prompt} is there ${times} times`);
    // From now on it is known.
    if (known === "unsure") log.set(prompt, times === 1 ? "kept" : "lost");
  }
  for (const prompt of told)
    if (!log.has(prompt)) wrong.push(`${prompt} is somebody else's, or was not begun`);
  const kept = [...log].filter(([, known]) => known === "kept").map(([prompt]) => prompt);
  if (wrong.length === 0 && kept.join() !== told.join()) wrong.push(`the order is ${told.join(" ")}`);
  return wrong;
}

/** Sends a prompt. Status 0: the answer was cut. */
async function ask(url, { prompt, sessionId }) {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ prompt, sessionId }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const wait = Number(response.headers.get("retry-after") ?? 0);
    const text = await response.text();
    return { status: response.status, wait, ...(text ? JSON.parse(text) : {}) };
  } catch (error) {
    return { status: 0, wait: 0, cut: String(error) };
  }
}
