// Tests that the judge of `npm run tool gateway` finds every broken promise, and passes a load
// without one.

import { expect, test } from "vitest";
// @ts-expect-error They are plain JavaScript.
import { faultsOf, summaryOf } from "../gateway-load/judge.mjs";

const MIB = 2 ** 20;
const good = () => ({
  requests: 5_000,
  arrived: 4_999,
  entries: 4_999,
  answered: 4_000,
  streams: 2_500,
  outside: 3_000,
  toldInFault: 100,
  toldOutside: [] as string[],
  lost: [] as string[],
  changed: [] as string[],
  revocations: 15,
  repeated: 40,
  left: 300,
  sawCut: 100,
  missedCut: 0,
  faults: 2,
  identity: 30,
  ranMs: 60_000,
  exit: 0 as number | string,
  leaked: false,
  times: [1, 2, 3],
  memory: [100 * MIB, 110 * MIB, 120 * MIB, 120 * MIB],
});
type Run = ReturnType<typeof good>;

function judged(change: Partial<Run>): string[] {
  const run = { ...good(), ...change };
  return faultsOf(summaryOf({ seed: 1, minutes: 1 }, run), run);
}

test("a load that kept every promise has no faults", () => {
  expect(judged({})).toEqual([]);
});

const BROKEN: [string, RegExp, Partial<Run>][] = [
  ["other bytes", /^1 answers had other bytes: 3-1$/, { changed: ["3-1"] }],
  ["a lost request", /^1 requests were lost: 3-1, json: cut off$/, { lost: ["3-1, json: cut off"] }],
  ["too many refusals", /^98.9 % answered outside faults/, { toldOutside: Array(33).fill("1-1: 503 x") }],
  ["a cut that nobody saw", /^2 streams were cut, and their clients saw a whole answer/, { missedCut: 2 }],
  ["too many identity requests", /^71 identity requests; 69 at most/, { identity: 71 }],
  ["a line too few", /^4999 requests arrived, and the log has 4998 lines/, { entries: 4_998 }],
  ["a line too many", /^4999 requests arrived, and the log has 5000 lines/, { entries: 5_000 }],
  ["requests on the way", /^5000 requests were sent, and 4699 arrived/, { arrived: 4_699, entries: 4_699 }],
  ["a key in the log", /^The log holds/, { leaked: true }],
  ["a bad end", /^The gateway ended with SIGKILL/, { exit: "SIGKILL" }],
  ["no revocations", /^Only 9 revocations were met; 10 at least/, { repeated: 9 }],
  ["no cut streams", /^Only 9 cut streams were met/, { sawCut: 9 }],
  ["no leavers", /^Only 9 leavers were met/, { left: 9, arrived: 5_000, entries: 5_000 }],
  ["few streams", /^Only 999 streams were complete/, { streams: 999 }],
  [
    "memory that grows",
    /^The gateway's memory grew from 100 to 165 MiB/,
    { memory: [100, 110, 165, 120].map((mib) => mib * MIB) },
  ],
];

test.each(BROKEN)("%s is told", (_, sentence, change) => {
  expect(judged(change)).toEqual([expect.stringMatching(sentence)]);
});
