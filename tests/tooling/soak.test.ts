// Tests that the judge of the soak finds what must not happen.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KeylessError } from "copilot-keyless";
import { expect, test } from "vitest";

/** The scripts are plain Node without types. */
const part = (name: string) => import(new URL(`../soak/${name}`, import.meta.url).href);
const { planOf } = await part("plan.mjs");
const { mostBad, mostGood } = await part("bounds.mjs");
const { Tally } = await part("tally.mjs");
const { SecretWatch } = await part("secrets.mjs");
const { faultsOf, summaryOf } = await part("judge.mjs");
const { MemoryLog } = await part("memory.mjs");
const { reply } = await part("conversations.mjs");

interface Episode {
  at: number;
  track: string;
  act: string;
  forMs: number;
  fault?: { kind: string };
}

test("the plan is a function of the seed: every kind of fault, one at a time on each track, and calm at both ends", () => {
  const plan: Episode[] = planOf({ seed: 7, minutes: 60 });
  expect(planOf({ seed: 7, minutes: 60 })).toEqual(plan);
  expect(planOf({ seed: 8, minutes: 60 })).not.toEqual(plan);
  const seen = new Set(plan.map(({ track, act, fault }) => `${track} ${fault?.kind ?? act}`));
  for (const kind of ["status", "reset", "delay"]) {
    expect(seen).toContain(`identity ${kind}`);
    expect(seen).toContain(`foundry ${kind}`);
  }
  for (const one of ["identity malformed-expiry", "identity expired", "foundry hang", "foundry cut-stream"]) {
    expect(seen).toContain(one);
  }
  expect(seen).toContain("access revoke");
  expect(seen).toContain("access roles-away");
  for (const track of ["identity", "foundry", "access"]) {
    const own = plan.filter((episode) => episode.track === track);
    for (const [index, { at }] of own.entries()) {
      const before = own[index - 1];
      expect(at).toBeGreaterThan(before ? before.at + before.forMs : 7_999);
    }
  }
  expect(Math.max(...plan.map(({ at, forMs }) => at + forMs))).toBeLessThanOrEqual(60 * 60_000 - 20_000);
});

test("the bounds count what the schedule and MSAL promise", () => {
  expect(mostGood({ lifetimeMs: 15_000, ranMs: 60_000, revocations: 9 })).toEqual({ steady: 9, forced: 3 });
  expect(mostGood({ lifetimeMs: 15_000, ranMs: 60_000, revocations: 1 })).toEqual({ steady: 9, forced: 1 });
  const always = { kind: "status", status: 500, times: Number.POSITIVE_INFINITY };
  // At 0, 0.5, 1.5 and 3.5 s; the next acquisition also starts at 3.5 s. One is the fallback's.
  expect([0, 400, 600, 1_600, 3_400, 3_600].map((ms) => mostBad(always, ms))).toEqual([2, 2, 3, 4, 4, 6]);
  expect(mostBad({ ...always, status: 429, headers: { "retry-after": "2" } }, 4_100)).toBe(3);
  expect(mostBad({ kind: "expired", times: 2 }, 12_000)).toBe(2);
});

const TURN = { name: "s00", sort: "agent-chat", id: "s00-t1", began: 0, expected: "You said this.", ms: 10 };

/** Returns the judge's findings in a run with an answered turn, after `happen`. */
function said(
  happen: (tally: InstanceType<typeof Tally>, secrets: InstanceType<typeof SecretWatch>) => void,
) {
  const result = { tally: new Tally(1_000), secrets: new SecretWatch(), memory: new MemoryLog() };
  result.tally.turn({ ...TURN, text: TURN.expected }, KeylessError);
  result.secrets.learn(token("first"));
  happen(result.tally, result.secrets);
  const faults: string[] = faultsOf(summaryOf({ seed: 1, minutes: 1, sessions: 1 }, result), result);
  return faults.join("\n");
}

function token(signature: string): string {
  const text = (value: string) => Buffer.from(value).toString("base64url");
  return [
    text('{"typ":"JWT","alg":"ES256"}'),
    text('{"aud":"https://ai.azure.com"}'),
    text(signature.repeat(9)),
  ].join(".");
}

test.each([
  ["not its prompt's", { text: "You said that." }],
  ["undefined", { text: undefined }],
  ["did not end", { lost: true }],
  ["without a code, 1 times: s00-t1, agent-chat: TypeError", { error: new TypeError("of somebody's") }],
  [
    "without a code, 1 times: s00-t1, agent-chat: AbortError",
    { error: new DOMException("why?", "AbortError") },
  ],
  ["longer than its time", { text: TURN.expected, ms: 1_001 }],
])("a turn that ended wrongly is told: %s", (words, outcome) => {
  expect(said((tally) => tally.turn({ ...TURN, ...outcome }, KeylessError))).toContain(words);
});

test("a reply, a typed error and an abort that was asked for are fine, until all must answer", () => {
  const error = new KeylessError("token/timeout", "no answer");
  const ends = [
    { error },
    { error: new DOMException("asked for", "AbortError"), mayAbort: true },
    { text: "You said", mayAbort: true },
  ];
  expect(said((tally) => ends.forEach((end) => void tally.turn({ ...TURN, ...end }, KeylessError)))).toBe("");
  const quiet = said((tally) => {
    tally.quietRound = true;
    tally.turn({ ...TURN, error }, KeylessError);
  });
  expect(quiet).toContain("quiet round");
});

test("finds stray errors, expired tokens, and too many identity requests", () => {
  expect(said((tally) => tally.stray("unhandled rejection", new Error("nobody's")))).toContain("nobody's");
  const expired = { id: 1, server: "foundry", at: 0, authorization: { verdict: "expired" } };
  expect(said((tally) => tally.read([expired]))).toContain("a token that is expired");
  const fault = { kind: "reset", times: Number.POSITIVE_INFINITY };
  const episode = { track: "identity", act: "fault", fault, lastedMs: 3_000 };
  const met = (hits: number) =>
    said((tally) => {
      tally.ranMs = 60_000;
      tally.identity = hits + 9;
      tally.episodeEnds({ ...episode, hits });
    });
  expect(met(4)).toBe("");
  expect(met(5)).toContain("met 5 times");
  expect(
    said((tally) => {
      tally.ranMs = 60_000;
      tally.identity = 10;
    }),
  ).toContain("renewed 10 times");
});

test("finds a turn lost to a revocation that the schedule recovers from", () => {
  const fail = (tally: InstanceType<typeof Tally>) => {
    tally.refused(TURN.name);
    tally.turn({ ...TURN, error: new KeylessError("model/token-invalid", "no") }, KeylessError);
  };
  const revoke = { track: "access", act: "revoke" };
  expect(
    said((tally) => {
      tally.episodeBegins(revoke);
      fail(tally);
    }),
  ).toContain("not recovered from");
  expect(
    said((tally) => {
      tally.tokenEvent({ type: "invalidated" });
      tally.episodeBegins(revoke);
      fail(tally);
    }),
  ).toBe("");
  // Another failure has used up the runtime's attempts.
  expect(
    said((tally) => {
      tally.episodeBegins(revoke);
      tally.troubled(TURN.name);
      fail(tally);
    }),
  ).toBe("");
});

test("a token is found whole, by its signature alone, and in files", () => {
  const [, , signature] = token("second").split(".");
  const found = (text: string) =>
    said((_, secrets) => {
      secrets.learn(token("second"));
      secrets.look(text, "a text");
    });
  expect(found(`before\n${token("second")}`)).toContain("a token's claims in a text");
  expect(found(`sig: ${signature}`)).toContain("a token's signature in a text");
  expect(found("nothing of the kind, and no abcdefghijklmnopqrstuvwxyz0123456789 either")).toBe("");
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-soak-test-"));
  try {
    writeFileSync(
      join(folder, "events.jsonl"),
      `{"text":"${"x".repeat(1 << 20)} pl4nted-pl4nted-pl4nted-pl4nted"}`,
    );
    const told = said((_, secrets) => {
      secrets.plant("a secret", "pl4nted-pl4nted-pl4nted-pl4nted");
      expect(secrets.lookThrough(folder)).toBeGreaterThan(1 << 20);
    });
    expect(told).toContain("a secret in the runtime's events.jsonl");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  ["own", 100e6, 20e6, ""],
  ["own", 100e6, 60e6, "This process grew from 122.8 to 153.2 MB"],
  ["users", 500e6, 30e6, ""],
  ["users", 500e6, 60e6, "The user's own runtime grew"],
  ["agents", 500e6, 200e6, ""],
  ["agents", 500e6, 500e6, "The agents' runtimes grew"],
])("memory in a run of twenty minutes: %s, from %d bytes on by %d", (field, from, by, words) => {
  const memory = new MemoryLog();
  for (let index = 0; index < 80; index += 1) {
    const grown = from + (by * index) / 79;
    memory.samples.push({
      turns: index,
      own: 100e6,
      heap: 20e6,
      users: 500e6,
      agents: 500e6,
      [field]: grown,
    });
  }
  const result = { tally: new Tally(1_000), secrets: new SecretWatch(), memory };
  result.tally.ranMs = 1_200_000;
  const told: string[] = faultsOf(summaryOf({ seed: 1, minutes: 20, sessions: 1 }, result), result);
  expect(told.find((sentence) => sentence.includes("grew")) ?? "").toContain(words);
  if (words === "") expect(told.join()).not.toContain("grew");
});

test("the emulated model calls the tool as often as it is told to, then quotes", () => {
  const prompt = "s03-t4 with 1 lookups: kelp moss";
  expect(reply({ prompt, toolResults: [] })).toEqual({
    toolCalls: [{ name: "lookup", arguments: { word: "s03-t4.1" } }],
  });
  expect(reply({ prompt, toolResults: [{ text: "a weed" }] })).toBe(`You said: "${prompt}". Found a weed.`);
});
