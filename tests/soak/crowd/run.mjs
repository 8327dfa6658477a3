// Sends a crowd to a chat server written as a new user would, on a machine whose cores are busy: 20
// users with three conversations each, who abort turns after 20 to 420 ms, tokens of 15 s, and
// runtimes that are replaced meanwhile.

import { fork, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startEmulator } from "copilot-keyless/emulator";
import { randomOf } from "../random.mjs";

const USERS = 20;
const CONVERSATIONS = 3;
const TOKEN_SECONDS = 15;
const ABORTS = 0.3;
/** How long a turn may take. */
const TURN_MS = 20_000;
const CORES = 2;
/** How long a close may take on a machine whose cores are busy. */
const CLOSE_MS = 1_500;

/** The emulated model: lists the prompts of the conversation that it has received. */
function reply({ prompt, messages }) {
  const heard = messages
    .filter(({ role }) => role === "user")
    .flatMap(({ text }) => /\[(\S+?)\]/.exec(text)?.[1] ?? []);
  return `You said ${prompt} after ${heard.join(" ")}.`;
}

/** Runs the crowd for its time. Every turn is answered, aborted by its user, or a fault. */
export async function crowd({ seed, seconds, signal }) {
  const home = mkdtempSync(join(tmpdir(), "copilot-keyless-crowd-"));
  const emulator = await startEmulator({
    tokenLifetimeSeconds: TOKEN_SECONDS,
    chunkDelayMs: 2,
    logLimit: 100,
    reply,
  });
  const busy = Array.from({ length: CORES }, () => spawn(process.execPath, ["-e", "for (;;);"]));
  const server = fork(
    fileURLToPath(new URL("server.mjs", import.meta.url)),
    [JSON.stringify({ timeoutMs: TURN_MS, session: { availableTools: [] } })],
    { env: { ...process.env, ...emulator.env, COPILOT_HOME: home } },
  );
  const tally = { turns: 0, answered: 0, aborted: 0, faults: [], longestMs: 0, closedMs: undefined };
  try {
    const { port } = await nextMessage(server);
    const until = performance.now() + seconds * 1_000;
    const goesOn = () => performance.now() < until && !signal.aborted && server.connected;
    await Promise.all(
      Array.from({ length: USERS }, (_, user) =>
        converse({ user, random: randomOf(seed, `user ${user}`), port, tally, goesOn }),
      ),
    );
    if (!server.connected) tally.faults.push("the server has ended");
    else {
      const closed = nextMessage(server);
      server.send("close");
      tally.closedMs = (await closed).closedMs;
      if (tally.closedMs > CLOSE_MS) tally.faults.push(`close() took ${tally.closedMs} ms`);
    }
    if (tally.aborted === 0) tally.faults.push("nobody has left");
  } finally {
    for (const child of [...busy, server]) child.kill("SIGKILL");
    await emulator.stop();
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
  tally.faults = tally.faults.slice(0, 20).map((fault) => `the crowd: ${fault}`);
  return tally;
}

async function converse({ user, random, port, tally, goesOn }) {
  const conversations = Array.from({ length: CONVERSATIONS }, (_, index) => ({
    key: `u${user}c${index}`,
    turns: 0,
    acknowledged: [],
  }));
  while (goesOn()) {
    await turn({ conversation: random.pick(conversations), random, port, tally });
    await sleep(random.whole(0, 300));
  }
}

async function turn({ conversation, random, port, tally }) {
  const { key, acknowledged } = conversation;
  conversation.turns += 1;
  const id = `${key}-${conversation.turns}`;
  const left = new AbortController();
  const leaving = random.chance(ABORTS) ? setTimeout(() => left.abort(), random.whole(20, 420)) : undefined;
  const began = performance.now();
  tally.turns += 1;
  try {
    const response = await fetch(`http://127.0.0.1:${port}/chat/${key}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ prompt: `[${id}] hello` }),
      signal: left.signal,
    });
    const text = await response.text();
    const missing = acknowledged.find((earlier) => !new RegExp(`\\b${earlier}\\b`).test(text));
    if (!response.ok) tally.faults.push(`${id}: ${text}`);
    else if (!text.includes(`[${id}] hello`)) tally.faults.push(`${id} got another reply: ${text}`);
    else if (missing) tally.faults.push(`${id}: the conversation has forgotten ${missing}`);
    else {
      acknowledged.push(id);
      tally.answered += 1;
    }
  } catch (error) {
    if (left.signal.aborted) tally.aborted += 1;
    else tally.faults.push(`${id}: ${error.message}`);
  } finally {
    clearTimeout(leaving);
    tally.longestMs = Math.max(tally.longestMs, Math.round(performance.now() - began));
  }
}

function nextMessage(child) {
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", () => reject(new Error("the server has ended")));
  });
}
