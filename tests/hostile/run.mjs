// Runs good callers all the time, and hostile ones after a quiet while, against two servers and an
// emulator.

import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { startEmulator } from "copilot-keyless/emulator";
import { randomOf } from "../soak/random.mjs";
import { badCaller, SORTS } from "./bad.mjs";
import { goodCaller, reply } from "./good.mjs";
import { ask } from "./http.mjs";
import { startServers } from "./servers.mjs";
import { SERVER_HEADER } from "./settings.mjs";
import { Tally } from "./tally.mjs";

/** Good callers of each server: few enough to leave this machine some capacity. */
const GOOD = { edge: 4, functions: 2 };

/** The share of the time that is quiet, for comparison, and how long it is calm at the end. */
const QUIET_SHARE = 0.15;
const CALM_MS = 3_000;

/**
 * How often all tokens are revoked, before which of these the credential hangs, and for how long.
 */
const REVOCATIONS = 110;
const HANGS_BEFORE = [30, 80];
const HANG_MS = 1_200;
/**
 * How long callers may take to meet a revocation and recover, and the shortest pause before the
 * next.
 */
const MET_MS = 3_000;
const PAUSE_MS = 100;

/**
 * The share of the runtime's streams that are cut. The edge handler has a path whose streams are
 * cut.
 */
const FUNCTIONS_CUTS = 0.04;

/** How long the slots may take to be free when nobody calls any more. */
const FREE_MS = 10_000;

const READ_MS = 200;

/** Runs for a number of seconds and returns the tally. `onProgress` receives the phase. */
export async function run({ seed, seconds, signal, onProgress }) {
  const emulator = await startEmulator({ chunkDelayMs: 2, tokenRevocation: true, reply, logLimit: 5_000 });
  const tally = new Tally();
  const readLog = setInterval(() => tally.read(emulator.requests), READ_MS);
  const servers = await startServers(emulator.env);
  const began = performance.now();
  const end = new AbortController();
  const over = AbortSignal.any([end.signal, signal]);
  const storm = new AbortController();
  const stormOver = AbortSignal.any([storm.signal, over]);
  setMaxListeners(0, over, stormOver);
  const wait = (ms, until = over) => sleep(ms, undefined, { signal: until }).catch(() => {});
  try {
    onProgress("warm up");
    for (const server of servers) await ask(server.url.chat, { prompt: "Warm up" }, { caller: "warm" });
    for (const server of servers) server.watchMemory();

    onProgress("quiet");
    tally.phase = "quiet";
    const good = servers.flatMap((server) =>
      Array.from({ length: GOOD[server.name] }, (_, index) => {
        const random = randomOf(seed, `${server.name} good ${index}`);
        return goodCaller(server, index, { random, signal: over, tell: (turn) => tally.turn(turn) });
      }),
    );
    await wait(seconds * 1_000 * QUIET_SHARE);

    onProgress("storm");
    tally.phase = "revoking";
    const stormMs = seconds * 1_000 * (1 - QUIET_SHARE) - CALM_MS;
    const cuts = cutStreams(emulator, tally, randomOf(seed, "cuts"));
    const revoking = revocations(emulator, tally, { signal: stormOver, wait }).then(() => {
      if (!stormOver.aborted) tally.phase = "storm";
    });
    const bad = [revoking];
    for (const server of servers) {
      server.stormy = true;
      for (const sort of Object.keys(SORTS)) {
        if (SORTS[sort].pauseMs[server.name] === undefined) continue;
        const random = randomOf(seed, `${server.name} ${sort}`);
        bad.push(badCaller(server, sort, { random, signal: stormOver, tell: (one) => tally.bad(one) }));
      }
    }
    await wait(stormMs);
    storm.abort();

    onProgress("calm");
    tally.phase = "calm";
    await Promise.all([wait(CALM_MS), ...bad]);
    for (const cut of cuts) cut.remove();
    end.abort();
    await Promise.all(good);
    tally.held = await free(servers, signal);
  } finally {
    storm.abort();
    end.abort();
    clearInterval(readLog);
    tally.read(emulator.requests);
    tally.ranMs = performance.now() - began;
    for (const server of servers) {
      tally.servers[server.name] = {
        alive: server.alive,
        lastWords: server.lastWords,
        memory: server.memory,
      };
      const { code } = await server.stop();
      tally.servers[server.name].exit = code;
    }
    await emulator.stop();
  }
  return tally;
}

/** Cuts the model's streams: all of one path of the edge handler, and some of the runtime's. */
function cutStreams(emulator, tally, random) {
  const cut = (match) =>
    emulator.faults.add({
      server: "foundry",
      kind: "cut-stream",
      afterEvents: random.whole(4, 8),
      times: Number.POSITIVE_INFINITY,
      match: ({ headers }) => match(headers[SERVER_HEADER]),
    });
  const cutRuntime = (name) => {
    const chosen = name === "functions" && random.chance(FUNCTIONS_CUTS);
    if (chosen) tally.cutsRuntime();
    return chosen;
  };
  return [cut((name) => name === "cut"), cut(cutRuntime)];
}

/**
 * Revokes all tokens again and again, each time after callers have recovered from the last
 * revocation; the credential hangs now and then.
 */
async function revocations(emulator, tally, { signal, wait }) {
  const { counts } = emulator;
  const until = async (holds, since) => {
    while (!holds() && !signal.aborted && performance.now() - since < MET_MS) await wait(10, signal);
    return holds();
  };
  while (!signal.aborted && tally.revocations.met < REVOCATIONS) {
    if (tally.revocations.met >= (HANGS_BEFORE[tally.hangs.length] ?? Number.POSITIVE_INFINITY)) {
      await hang(emulator, tally, { signal, wait });
    }
    const { unauthorized, identity } = { ...counts };
    const revoked = performance.now();
    emulator.revokeTokens();
    tally.revokes();
    const met = await until(() => counts.unauthorized > unauthorized, revoked);
    tally.revocations.made += 1;
    if (met) tally.revocations.met += 1;
    await until(() => counts.identity > identity, revoked);
    await wait(Math.max(PAUSE_MS, performance.now() - revoked), signal);
  }
}

/** Lets the identity endpoint hang for a while, and revokes all tokens. */
async function hang(emulator, tally, { signal, wait }) {
  const fault = emulator.faults.add({ server: "identity", kind: "hang", times: Number.POSITIVE_INFINITY });
  const ended = tally.credentialHangs();
  emulator.revokeTokens();
  await wait(HANG_MS, signal);
  fault.remove();
  ended();
  await wait(HANG_MS, signal);
}

/** Returns the slots in use, after some time to become free. */
async function free(servers, signal) {
  const until = performance.now() + FREE_MS;
  for (;;) {
    const held = {};
    for (const server of servers) {
      const status = await server.status().catch((error) => ({ turns: String(error.message), log: {} }));
      held[server.name] = status.turns;
      server.log = status.log;
    }
    if (signal.aborted || performance.now() > until || Object.values(held).every((turns) => turns === 0)) {
      return { held, logs: Object.fromEntries(servers.map(({ name, log }) => [name, log])) };
    }
    await sleep(200);
  }
}
