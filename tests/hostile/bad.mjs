// Hostile callers.

import { setTimeout as sleep } from "node:timers/promises";
import { BYTES_PROMPT, LONG_PROMPT } from "./good.mjs";
import { answerTo, ask, EVENTS_TYPE, open, read } from "./http.mjs";

/** How long a reader that reads nothing stays. */
const STALL_MS = 8_000;

/** Requests that must be refused. */
const WRONG = [
  ["PUT", "{}"],
  ["GET", undefined],
  ["POST", ""],
  ["POST", "null"],
  ["POST", "[1]"],
  ["POST", "{"],
  ["POST", '{"prompt":5}'],
  ["POST", '{"prompt":{}}'],
  ["POST", '{"prompt":""}'],
  ["POST", '{"prompt":"Hi","sessionId":5}'],
  ["POST", '{"prompt":"Hi","sessionId":"made-up-made-up-made-up-made-up-made-up"}'],
  ["POST", '{"prompt":"Hi","model":"constructor"}'],
  ["POST", '{"prompt":"Hi"}', { "content-type": "text/plain" }],
  ["POST", '{"prompt":"Hi"}', { accept: "text/html" }],
  ["POST", `{"prompt":"${"x".repeat(40_000)}"}`],
  ["POST", Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
];

/**
 * What each kind does once. Returns the outcome: the received code, or `lost`; nothing where no
 * answer is expected. `refused` marks those that must be refused.
 */
export const SORTS = {
  "slow reader": {
    pauseMs: { edge: 4_000, functions: 15_000 },
    async act({ url, caller }) {
      const sent = open(url.chat, { caller, headers: { accept: EVENTS_TYPE } });
      sent.on("error", () => {});
      sent.on("response", (response) => {
        response.on("error", () => {});
        response.pause();
      });
      sent.end(JSON.stringify({ prompt: LONG_PROMPT }));
      await sleep(STALL_MS);
      sent.destroy();
    },
  },
  "slow writer": {
    pauseMs: { edge: 500, functions: 900 },
    refused: true,
    async act({ url, caller }) {
      const sent = open(url.chat, { caller, headers: { "content-length": 1_000 } });
      const answered = answerTo(sent);
      const drip = setInterval(() => sent.destroyed || sent.write(" "), 100);
      try {
        return read(await answered);
      } finally {
        clearInterval(drip);
        sent.destroy();
      }
    },
  },
  "one-byte chunks": {
    pauseMs: { edge: 500, functions: 1_500 },
    async act({ url, caller, random }) {
      const body = Buffer.from(
        JSON.stringify({
          prompt: `${BYTES_PROMPT} `.repeat(random.whole(20, random.chance(0.1) ? 2_300 : 400)),
        }),
      );
      const sent = open(url.chat, { caller });
      const answered = answerTo(sent);
      answered.catch(() => {});
      for (let at = 0; at < body.length && !sent.destroyed; at += 1) {
        sent.write(body.subarray(at, at + 1));
        if (at % 500 === 499) await sleep(1);
      }
      sent.end();
      return read(await answered);
    },
  },
  leaver: {
    pauseMs: { edge: 150, functions: 500 },
    async act({ url, caller, random }) {
      const headers = random.chance(0.5) ? { accept: EVENTS_TYPE } : {};
      const sent = open(url.chat, { caller, headers });
      sent.on("error", () => {});
      sent.on("response", (response) => response.on("error", () => {}).resume());
      sent.end(JSON.stringify({ prompt: "Never mind" }));
      await sleep(random.whole(2, 40));
      sent.destroy();
    },
  },
  giant: {
    pauseMs: { edge: 1_200, functions: 2_400 },
    refused: true,
    async act({ url, caller, random }) {
      const body = `{"prompt":"${"x".repeat(random.whole(300_000, 3_000_000))}"}`;
      return ask(url.chat, body, { caller });
    },
  },
  "wrong type": {
    pauseMs: { edge: 150, functions: 400 },
    refused: true,
    async act({ url, caller, random }) {
      const [method, body, headers = {}] = random.pick(WRONG);
      const sent = open(url.chat, { method, caller, headers });
      sent.end(body);
      return read(await answerTo(sent));
    },
  },
  stranger: {
    pauseMs: { edge: 300, functions: 600 },
    refused: true,
    act: ({ url }) => ask(url.chat, { prompt: "Who am I?" }, {}),
  },
  "cut stream": {
    pauseMs: { edge: 200 },
    async act({ url, caller, random }) {
      const headers = random.chance(0.5) ? { accept: EVENTS_TYPE } : {};
      return ask(url.cut, { prompt: "To be cut" }, { caller, headers });
    },
  },
};

/**
 * Acts as one caller of a kind, until the signal aborts. Its requests overlap, as those of many
 * callers would.
 */
export async function badCaller(server, sort, { random, signal, tell }) {
  const { act, pauseMs } = SORTS[sort];
  const running = new Set();
  while (!signal.aborted) {
    const caller = `bad ${random.whole(1, 3)}`;
    const one = act({ url: server.url, caller, random }).then(
      (outcome) => tell({ server: server.name, sort, ...outcome }),
      (error) => tell({ server: server.name, sort, lost: String(error.code ?? error.message) }),
    );
    running.add(one);
    one.then(() => running.delete(one));
    const pause = pauseMs[server.name];
    await sleep(random.whole(pause / 2, pause * 1.5), undefined, { signal }).catch(() => {});
  }
  await Promise.all(running);
}
