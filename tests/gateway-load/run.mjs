// Sends requests of every kind through a gateway, on tokens of 15 seconds that are
// also revoked, while the resource and the identity endpoint fail for a time, streams break off and
// clients leave.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startEmulator } from "copilot-keyless/emulator";
import { randomOf } from "../soak/random.mjs";
import { residentBytes } from "../support/processes.mjs";
import { TOKEN_SECONDS } from "./judge.mjs";
import { CUT, ID, startResource } from "./resource.mjs";

const PROGRAM = join(dirname(fileURLToPath(import.meta.url)), "gateway.mjs");
/** The native gateway, as `npm run tool gateway -- --native` builds it. */
export const NATIVE = join(
  dirname(fileURLToPath(import.meta.url)),
  "../../crates/gateway/target/debug/copilot-keyless-gateway",
);
const KEY = "key-of-the-load-test-1";
const CLIENTS = 16;
const PATIENCE_MS = 60_000;
/** How long the gateway may take to end. */
const END_MS = 20_000;
const REVOKE_EVERY_MS = 4_000;
/** The native one takes no policy: it discards a rejected token at most once in 30 s. */
const REVOKE_NATIVE_EVERY_MS = 31_000;
/** Time between the starts of two faults. */
const FAULT_EVERY_MS = 30_000;
/** After a fault: a wait for a token that began within it may end in this time. */
const AFTER_MS = 6_000;
/** A fault of the identity endpoint lasts longer than half a token's life, or nobody would meet it. */
const FAULTS = [
  { forMs: 4_000, fault: { server: "foundry", kind: "status", status: 503 } },
  { forMs: 12_000, fault: { server: "identity", kind: "status", status: 500 } },
  {
    forMs: 4_000,
    fault: { server: "foundry", kind: "status", status: 429, headers: { "retry-after": "1" } },
  },
  { forMs: 12_000, fault: { server: "identity", kind: "hang" } },
  { forMs: 4_000, fault: { server: "foundry", kind: "reset" } },
];
/** How often each kind comes, in percent. */
const KINDS = Object.entries({ stream: 56, json: 28, leave: 9, cut: 4, models: 3 }).flatMap(([kind, share]) =>
  Array.from({ length: share }, () => kind),
);

const reply = ({ prompt }) => `${prompt}: ${"and so on, ".repeat(12)}the end.`;

/** Runs for some minutes. Returns what became of the requests. */
export async function run({ minutes, seed, native = false, signal, onProgress }) {
  const emulator = await startEmulator({
    chunkDelayMs: 1,
    platformCache: false,
    tokenLifetimeSeconds: TOKEN_SECONDS,
    tokenRevocation: true,
    logLimit: 100,
    reply,
  });
  const resource = await startResource(emulator.foundry.url);
  const env = { ...emulator.env, FOUNDRY_RESOURCE_URL: resource.url };
  const gateway = await startGateway(env, native);
  const tally = { ...counters(), times: [], memory: [] };
  const before = { ...emulator.counts };
  const began = performance.now();
  const endsAt = began + minutes * 60_000;
  const isOver = () => signal.aborted || performance.now() > endsAt;
  const faults = faultsWhile(isOver, emulator, tally);
  const timers = [
    setInterval(
      () => {
        // Nobody meets one after the last request.
        if (isOver()) return;
        emulator.revokeTokens();
        tally.revocations += 1;
      },
      native ? REVOKE_NATIVE_EVERY_MS : REVOKE_EVERY_MS,
    ),
    setInterval(() => tally.memory.push(residentBytes(gateway.child.pid)), 2_000),
    setInterval(
      () => onProgress(`${Math.round((performance.now() - began) / 1_000)} s, ${tally.requests} requests`),
      30_000,
    ),
  ];
  try {
    const clients = Array.from({ length: CLIENTS }, async (_, index) => {
      const random = randomOf(seed, `client ${index}`);
      const agent = new Agent({ keepAlive: true, maxSockets: 2 });
      for (let number = 0; !isOver(); number += 1) {
        const id = `${index}-${number}`;
        const kind = random.pick(KINDS);
        await send({ id, kind, random, agent, url: gateway.url, resource, faults, tally });
        await sleep(random.whole(5, 60));
      }
      agent.destroy();
    });
    await Promise.all(clients);
    await faults.ended;
    const ranMs = performance.now() - began;
    // Every request has its line when its end has reached the gateway.
    for (let waited = 0; gateway.entries < tally.requests && waited < 10_000; waited += 100) await sleep(100);
    const { identity, unauthorized } = emulator.counts;
    const exit = await gateway.stop();
    return {
      ...tally,
      ranMs,
      exit,
      // The native one has no counter of its own.
      arrived: native ? gateway.entries : gateway.arrived,
      entries: gateway.entries,
      repeated: gateway.repeated,
      told: gateway.told,
      cuts: resource.cuts,
      identity: identity - before.identity,
      unauthorized: unauthorized - before.unauthorized,
      leaked: gateway.leaked,
    };
  } finally {
    for (const timer of timers) clearInterval(timer);
    await gateway.stop();
    resource.close();
    await emulator.stop();
  }
}

const counters = () => ({
  requests: 0,
  answered: 0,
  streams: 0,
  toldInFault: 0,
  toldOutside: [],
  outside: 0,
  revocations: 0,
  left: 0,
  sawCut: 0,
  missedCut: 0,
  lost: [],
  changed: [],
});

/** Adds a fault now and then. `covers(from, to)`: whether one was there meanwhile. */
function faultsWhile(isOver, emulator, tally) {
  const windows = [];
  const ended = (async () => {
    for (let number = 0; !isOver(); number += 1) {
      const { fault, forMs } = FAULTS[number % FAULTS.length];
      for (let waited = 0; waited < FAULT_EVERY_MS - forMs && !isOver(); waited += 200) await sleep(200);
      if (isOver()) return;
      const window = { from: performance.now(), to: Number.POSITIVE_INFINITY };
      windows.push(window);
      emulator.faults.add({ ...fault, times: Number.POSITIVE_INFINITY });
      await sleep(forMs);
      emulator.faults.clear();
      window.to = performance.now() + AFTER_MS;
      tally.faults = number + 1;
    }
  })();
  return { ended, covers: (from, to) => windows.some((one) => from < one.to && to > one.from) };
}

/** Sends one request, and counts what became of it. Never rejects. */
async function send({ id, kind, random, agent, url, resource, faults, tally }) {
  const from = performance.now();
  const isStream = kind !== "json" && kind !== "models";
  const prompt = `Question ${id}`;
  const path = kind === "models" ? "/openai/v1/models" : "/openai/v1/responses";
  const sent = request(url + path, {
    method: kind === "models" ? "GET" : "POST",
    agent,
    headers: {
      "content-type": "application/json",
      "api-key": KEY,
      [ID]: id,
      ...(kind === "cut" ? { [CUT]: "1" } : {}),
    },
  });
  const leaveAfterMs = kind === "leave" ? random.whole(1, 60) : undefined;
  tally.requests += 1;
  const body = kind === "models" ? undefined : { model: "gpt-5.5", input: prompt, stream: isStream };
  const outcome = await outcomeOf(sent, body, leaveAfterMs);
  const inFault = faults.covers(from, performance.now());
  if (outcome.left) {
    tally.left += 1;
    return;
  }
  const expected = resource.takeHash(id);
  if (kind === "cut" && outcome.status === undefined) {
    tally.sawCut += 1;
    return;
  }
  if (outcome.status === 200 && kind === "cut" && expected === undefined) tally.missedCut += 1;
  if (!inFault) tally.outside += 1;
  if (outcome.status === 200) {
    tally.answered += 1;
    if (isStream) tally.streams += 1;
    tally.times.push(performance.now() - from);
    if (outcome.hash !== expected) tally.changed.push(id);
    else if (kind !== "models" && !outcome.text.includes(prompt))
      tally.changed.push(`${id}: another's answer`);
  } else if (outcome.code === undefined) {
    const what = outcome.error ?? `${outcome.status} ${outcome.text.slice(0, 100)}`;
    if (!inFault) tally.lost.push(`${id}, ${kind}: ${what}`);
    else tally.toldInFault += 1;
  } else if (inFault) tally.toldInFault += 1;
  else tally.toldOutside.push(`${id}: ${outcome.status} ${outcome.code}`);
}

function outcomeOf(sent, body, leaveAfterMs) {
  return new Promise((resolve) => {
    const hash = createHash("sha256");
    let text = "";
    let left = false;
    const leave = () => {
      left = true;
      sent.destroy();
    };
    const leaving = leaveAfterMs === undefined ? undefined : setTimeout(leave, leaveAfterMs);
    const late = setTimeout(() => sent.destroy(new Error("no end")), PATIENCE_MS);
    const done = (outcome) => {
      clearTimeout(leaving);
      clearTimeout(late);
      resolve(left ? { left } : outcome);
    };
    sent.on("error", ({ message }) => done({ error: message }));
    sent.on("response", (response) => {
      response.on("data", (chunk) => {
        hash.update(chunk);
        text += chunk;
      });
      response.on("error", ({ message }) => done({ error: message }));
      response.on("end", () => {
        const { statusCode: status } = response;
        done({ status, text, hash: hash.digest("hex"), code: status === 200 ? undefined : codeOf(text) });
      });
      response.on("close", () => done({ error: "cut off" }));
    });
    sent.end(body && JSON.stringify(body));
  });
}

function codeOf(text) {
  try {
    return JSON.parse(text).error.code;
  } catch {
    return undefined;
  }
}

/** Starts the program, and reads its log. */
async function startGateway(env, native) {
  const [command, ...args] = native
    ? [NATIVE, "--json"]
    : [process.execPath, "--unhandled-rejections=strict", PROGRAM];
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, LOAD_KEY: KEY, COPILOT_KEYLESS_GATEWAY_KEY: KEY, ...env },
    stdio: ["ignore", "pipe", native ? "pipe" : "inherit"],
  });
  // With its output read to the end.
  const ended = once(child, "close");
  const gateway = { child, entries: 0, repeated: 0, told: {}, leaked: false };
  const started = new Promise((resolve) => {
    const read = (line) => {
      gateway.leaked ||= line.includes(KEY) || line.includes("eyJ");
      const { url, arrived, repeated, code } = JSON.parse(line);
      if (url !== undefined) return resolve(url);
      if (arrived !== undefined) {
        gateway.arrived = arrived;
        return;
      }
      gateway.entries += 1;
      if (repeated) gateway.repeated += 1;
      if (code !== undefined) gateway.told[code] = (gateway.told[code] ?? 0) + 1;
    };
    // The native one logs to standard error.
    for (const input of [child.stdout, child.stderr]) if (input) createInterface({ input }).on("line", read);
  });
  const failed = ended.then(() => Promise.reject(new Error("The gateway did not start")));
  failed.catch(() => {});
  gateway.url = await Promise.race([started, failed]);
  gateway.stop = async () => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), END_MS);
    const [code, signal] = await ended;
    clearTimeout(late);
    return signal ?? code;
  };
  return gateway;
}
