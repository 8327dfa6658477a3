// Runs one soak: an emulator, many sessions on the real @azure/identity and the real Copilot
// runtime, and faults by the plan.

import { randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { setMaxListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { CopilotClient } from "@github/copilot-sdk";
import { KeylessError } from "copilot-keyless";
import { startEmulator } from "copilot-keyless/emulator";
import { Conversation, openAgents, reply, SESSION_HEADER, TURN_MS } from "./conversations.mjs";
import { crowd } from "./crowd/run.mjs";
import { MemoryLog } from "./memory.mjs";
import { planOf } from "./plan.mjs";
import { SecretWatch } from "./secrets.mjs";
import { Tally } from "./tally.mjs";

export const TOKEN_SECONDS = 15;
const CHUNK_DELAY_MS = 2;
const ROLES = ["Foundry User"];
const SAMPLE_MS = 2_000;
const PROGRESS_MS = process.stderr.isTTY ? 10_000 : 30_000;
/** How late a turn may end: this machine has other work, too. */
const GRACE_MS = 3_000;
/**
 * How long everything together may take to close: an agent gives a hanging runtime some seconds.
 */
const CLOSE_MS = 25_000;
/** How long turns may go on after Ctrl-C, and each step of closing may take. */
const INTERRUPTED_MS = 3_000;
/** How often the emulator's log is read; it is kept short, so that it does not count as growth. */
const READ_MS = 250;
const LOG_LIMIT = 2_000;

/**
 * Runs a soak, then a crowd for some seconds, until `signal` aborts them. Returns what the judge
 * needs. `onProgress` receives a line now and then.
 */
export async function run({ seed, minutes, sessions, crowd: seconds, signal, onProgress }) {
  const met = await soak({ seed, minutes, sessions, signal, onProgress });
  if (seconds === 0 || signal.aborted) return met;
  onProgress(`a crowd of 20 users for ${seconds} s, both cores busy`);
  return { ...met, crowd: await crowd({ seed, seconds, signal }) };
}

async function soak({ seed, minutes, sessions, signal, onProgress }) {
  const home = mkdtempSync(join(tmpdir(), "copilot-keyless-soak-"));
  const secrets = new SecretWatch();
  const tally = new Tally(TURN_MS + GRACE_MS);
  const memory = new MemoryLog();
  const stops = [() => secrets.stop(), () => memory.stop()];
  const listen = (emitter, name, listener) => {
    emitter.on(name, listener);
    stops.push(() => emitter.off(name, listener));
  };
  const every = (ms, work) => {
    const timer = setInterval(work, ms);
    stops.push(() => clearInterval(timer));
  };
  const channel = (name, listener) => {
    subscribe(name, listener);
    stops.push(() => unsubscribe(name, listener));
  };

  listen(process, "unhandledRejection", (error) => tally.stray("unhandled rejection", error));
  listen(process, "uncaughtException", (error) => tally.stray("uncaught exception", error));
  listen(process, "warning", (warning) => tally.stray("warning", warning));
  secrets.readAlong(process.stdout, "stdout");
  secrets.readAlong(process.stderr, "stderr");

  const emulator = await startEmulator({
    tokenLifetimeSeconds: TOKEN_SECONDS,
    tokenRevocation: true,
    chunkDelayMs: CHUNK_DELAY_MS,
    logLimit: LOG_LIMIT,
    roles: ROLES,
    reply,
  });
  const planted = randomBytes(24).toString("hex");
  Object.assign(process.env, emulator.env, { COPILOT_HOME: home, AZURE_CLIENT_SECRET: planted });
  secrets.plant("the identity header", emulator.env.IDENTITY_HEADER);
  secrets.plant("a client secret", planted);
  secrets.learnFrom(emulator.identity.port);
  channel("copilot-keyless:token", (event) => {
    tally.tokenEvent(event);
    secrets.look(inspect(event), "a token event");
  });
  channel("http.server.request.start", ({ request, response, socket }) => {
    if (socket.localPort !== emulator.foundry.port) return;
    response.once("close", () => {
      const name = request.headers[SESSION_HEADER];
      if (response.statusCode === 401) tally.refused(name);
      else if (response.statusCode >= 400 || !response.writableFinished) tally.troubled(name);
    });
  });
  every(READ_MS, () => tally.read(emulator.requests));

  const client = new CopilotClient({ useLoggedInUser: false });
  await client.start();
  memory.tellApart();
  const agents = openAgents();
  const onTurn = (turn) => {
    // Ctrl-C reaches the runtimes too: turns that it ends say nothing.
    if (signal.aborted) return;
    tally.turn(turn, KeylessError);
    if (turn.error) secrets.look(inspect(turn.error, { depth: 10 }), "an error");
    if (turn.text) secrets.look(turn.text, "a reply");
  };
  const onEvent = (event) => secrets.look(inspect(event, { depth: 10 }), "a session's event");
  const conversations = Array.from(
    { length: sessions },
    (_, index) => new Conversation(index, { seed, client, agents, onTurn, onEvent }),
  );
  try {
    await Promise.all(conversations.map((one) => one.start()));
    const began = performance.now();
    memory.start(SAMPLE_MS, () => tally.turns);
    const ranMs = () => performance.now() - began;
    every(PROGRESS_MS, () =>
      onProgress(
        `${Math.round(ranMs() / 1000)} s: ${tally.turns} turns, ${tally.replies} replies, ${emulator.counts.identity} identity requests`,
      ),
    );

    const stop = new AbortController();
    const enough = AbortSignal.any([stop.signal, signal]);
    // Every session and episode listens to these two; a warning about them would hide others.
    setMaxListeners(0, enough, signal);
    const talks = Promise.all(conversations.map((one) => one.converse(enough)));
    try {
      await Promise.all([
        sleep(minutes * 60_000, undefined, { signal }).catch(() => {}),
        carryOut(planOf({ seed, minutes }), emulator, tally, signal),
      ]);
    } finally {
      stop.abort();
      // After Ctrl-C, do not wait for a turn that hangs.
      await (signal.aborted ? endsWithin(talks, INTERRUPTED_MS) : talks);
    }
    memory.stop();
    // No faults any more: now every session must answer.
    if (!signal.aborted) {
      tally.quietRound = true;
      await Promise.all(conversations.map((one) => one.turn()));
    }
    tally.ranMs = ranMs();
  } finally {
    const closeMs = signal.aborted ? INTERRUPTED_MS : CLOSE_MS;
    const all = Promise.all(conversations.map((one) => one.close()));
    const closed = await endsWithin(
      all.then(() => Promise.all(Object.values(agents).map((agent) => agent.close()))),
      closeMs,
    );
    if (!closed && !signal.aborted) tally.note("a session that did not close", `within ${CLOSE_MS} ms`);
    if (!(await endsWithin(client.stop(), closeMs))) await client.forceStop();
    tally.read(emulator.requests, true);
    tally.identity = emulator.counts.identity;
    tally.foundry = emulator.counts.foundry;
    await emulator.stop();
    tally.filesBytes = secrets.lookThrough(home);
    for (const end of stops) end();
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
  return { tally, memory, secrets };
}

/** Whether some work ends in time: a request to a runtime that is just ending may never do. */
async function endsWithin(work, ms) {
  const late = new AbortController();
  const patience = sleep(ms, false, { signal: late.signal }).catch(() => false);
  try {
    return await Promise.race([
      work.then(
        () => true,
        () => false,
      ),
      patience,
    ]);
  } finally {
    late.abort();
  }
}

/** Starts each episode at its time. */
async function carryOut(plan, emulator, tally, signal) {
  const began = performance.now();
  await Promise.all(
    plan.map(async (episode) => {
      const pause = (ms) => sleep(ms, undefined, { signal });
      try {
        await pause(Math.max(0, episode.at - (performance.now() - began)));
      } catch {
        // The soak was aborted.
        return;
      }
      const from = performance.now();
      tally.episodeBegins(episode);
      const { undo, hits } = start(episode, emulator, tally);
      await pause(episode.forMs).catch(() => {});
      undo();
      tally.episodeEnds({ ...episode, lastedMs: performance.now() - from, hits: hits() });
    }),
  );
}

/** Starts an episode. `undo` ends it, `hits` returns how many requests met it. */
function start({ act, track, fault }, emulator, tally) {
  const nothing = { undo: () => {}, hits: () => 0 };
  if (act === "revoke") {
    emulator.revokeTokens();
    return nothing;
  }
  if (act === "roles-away") {
    tally.rolesAway = true;
    emulator.foundry.setRoles([]);
    const undo = () => {
      tally.rolesAway = false;
      emulator.foundry.setRoles(ROLES);
    };
    return { ...nothing, undo };
  }
  const handle = emulator.faults.add({ ...fault, server: track });
  return { undo: () => handle.remove(), hits: () => handle.hits };
}
