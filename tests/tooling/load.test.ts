// Tests that the judge of `npm run tool load` finds every broken promise, and passes a load without
// one.

import { expect, test } from "vitest";
// @ts-expect-error They are plain JavaScript.
import { faultsOf, summaryOf } from "../load/judge.mjs";

const asked = { rate: 60, minutes: 1, limit: 400, seed: 1 };

interface Turn {
  prompt: string;
  tookMs: number;
  left?: boolean;
  lost?: string;
  crossed?: string;
  refused?: number;
}

const good = () => ({
  turns: Array.from(
    { length: 60 },
    (_, index): Turn => ({ prompt: `${index}`, tookMs: 10, left: index % 10 === 0 }),
  ),
  sentMs: 59_000,
  ranMs: 60_000,
  tokens: 8,
  unauthorized: 0,
  servers: {
    express: { alive: true, exit: 0, held: 0 },
    hono: { alive: true, exit: 0, held: 0 },
  },
});
type Run = ReturnType<typeof good>;

function judged(change: (run: Run) => unknown): string[] {
  const run = good();
  change(run);
  return faultsOf(summaryOf(asked, run), run);
}

test("a load that kept every promise has no faults", () => {
  expect(judged(() => {})).toEqual([]);
});

test("a machine that is too slow may say so", () => {
  const slow = (run: Run) => {
    Object.assign(run, { ranMs: 70_000, unauthorized: 1 });
    Object.assign(run.turns[3] as Turn, { refused: 2 });
  };
  expect(judged(slow)).toEqual([]);
  const run = good();
  slow(run);
  expect(summaryOf(asked, run)).toMatchObject({ refused: 1, refusals: 2, lost: 0 });
});

const BROKEN: [string, RegExp, (run: Run) => unknown][] = [
  [
    "a lost turn",
    /^1 turns were lost: 3: chat\/overloaded$/,
    ({ turns }) => Object.assign(turns[3] as Turn, { lost: "chat/overloaded" }),
  ],
  [
    "another's reply",
    /^1 turns were crossed: 3: hers$/,
    ({ turns }) => Object.assign(turns[3] as Turn, { crossed: "hers" }),
  ],
  ["a turn without an end", /^59 of 60 turns ended/, (run) => run.turns.pop()],
  [
    "a rate that is not reached",
    /^51 turns ended a minute; 60 were wished/,
    (run) => Object.assign(run, { ranMs: 70_000 }),
  ],
  [
    "nobody who left",
    /^Nobody left/,
    ({ turns }) => turns.map((turn) => Object.assign(turn, { left: false })),
  ],
  ["old tokens", /^There were 2 tokens/, (run) => Object.assign(run, { tokens: 2 })],
  ["rejected tokens", /rejected 1 tokens/, (run) => Object.assign(run, { unauthorized: 1 })],
  [
    "a process that died",
    /express has ended/,
    ({ servers }) => Object.assign(servers.express, { alive: false }),
  ],
  [
    "a turn that is left",
    /hono still runs 1 turns/,
    ({ servers }) => Object.assign(servers.hono, { held: 1 }),
  ],
  [
    "a process that does not end",
    /hono did not end/,
    ({ servers }) => Object.assign(servers.hono, { exit: "no end" }),
  ],
];

test.each(BROKEN)("finds a broken promise: %s", (_name, sentence, change) => {
  const faults = judged(change);
  expect(faults.filter((fault) => sentence.test(fault))).toHaveLength(1);
  expect(faults.length).toBeLessThanOrEqual(2);
});
