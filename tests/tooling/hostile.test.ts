// Tests that the judge of `npm run tool hostile` finds every broken promise, and passes a run
// without one.

import { expect, test } from "vitest";
// @ts-expect-error They are plain JavaScript.
import { faultsOf, summaryOf } from "../hostile/judge.mjs";
// @ts-expect-error They are plain JavaScript.
import { Tally } from "../hostile/tally.mjs";

const SERVERS = ["edge", "functions"];

/** Judges a run without faults after a change to its tally. */
function judged(
  change: (tally: Record<string, never> & ReturnType<typeof good>) => void = () => {},
): string[] {
  const tally = good();
  change(tally as never);
  return faultsOf(summaryOf({ seed: 1, seconds: 60 }, tally), tally);
}

function good() {
  const tally = new Tally();
  for (const phase of ["quiet", "revoking", "storm", "calm"]) {
    tally.phase = phase;
    for (const server of SERVERS)
      for (let turn = 0; turn < 100; turn += 1)
        tally.turn({ server, began: turn, ended: turn + 10, reply: "Hi" });
  }
  tally.revocations = { made: 130, met: 120 };
  tally.cuts = 150;
  tally.held = {
    held: { edge: 0, functions: 0 },
    logs: { edge: { "chat/client-closed": 200 }, functions: {} },
  };
  for (const server of SERVERS) {
    const memory = { quietMB: 100, mostMB: 350, runtimesMB: 400 };
    tally.servers[server] = { alive: true, exit: 0, lastWords: "", memory };
  }
  return tally;
}

test("a run that kept every promise has no faults", () => {
  expect(judged()).toEqual([]);
});

const BROKEN: [string, RegExp, (tally: ReturnType<typeof good>) => void][] = [
  [
    "a lost turn",
    /1 turns of good callers were lost: Hi: no end/,
    (tally) => {
      tally.turn({ server: "edge", began: 1, ended: 2, prompt: "Hi", lost: "no end" });
    },
  ],
  [
    "errors instead of answers",
    /774 were answered|were answered, 9\d\.\d+ %/,
    (tally) => {
      for (let turn = 0; turn < 9; turn += 1)
        tally.turn({ server: "edge", began: 1, ended: 2, code: "model/token-invalid" });
    },
  ],
  [
    "nobody asked",
    /Of 0 turns/,
    (tally) => {
      tally.turns = [];
    },
  ],
  [
    "few aborts",
    /There were 99 aborts/,
    (tally) => {
      tally.held.logs.edge["chat/client-closed"] = 99;
    },
  ],
  [
    "few revocations",
    /There were 99 revocations/,
    (tally) => {
      tally.revocations.met = 99;
    },
  ],
  [
    "few cuts",
    /There were 99 cuts/,
    (tally) => {
      tally.cuts = 99;
    },
  ],
  [
    "a process that died",
    /The process of edge has ended in the storm: RangeError/,
    (tally) => {
      tally.servers.edge.alive = false;
      tally.servers.edge.lastWords = "RangeError";
    },
  ],
  [
    "a process that does not end",
    /functions did not end as it was told to \(no end\)/,
    (tally) => {
      tally.servers.functions.exit = "no end";
    },
  ],
  [
    "memory",
    /edge took 401 MB, 100 in the quiet/,
    (tally) => {
      tally.servers.edge.memory.mostMB = 401;
    },
  ],
  [
    "a slot",
    /functions still holds 1 slots/,
    (tally) => {
      tally.held.held.functions = 1;
    },
  ],
  [
    "silence afterwards",
    /functions answered nobody after the storm/,
    (tally) => {
      tally.turns = tally.turns.filter(
        ({ server, phase }: { server: string; phase: string }) => server !== "functions" || phase !== "calm",
      );
    },
  ],
  [
    "an open door",
    /Hostile callers got what they should not: stranger of edge: 200/,
    (tally) => {
      tally.bad({ server: "edge", sort: "stranger", status: 200 });
    },
  ],
];

test.each(BROKEN)("finds a broken promise: %s", (_name, sentence, change) => {
  const faults = judged(change as never);
  expect(faults).toHaveLength(1 + (sentence.source.includes("Of 0") ? 2 : 0));
  expect(faults.join("\n")).toMatch(sentence);
});

test("failures during a hang or by a cut stream are counted, not judged", () => {
  const faults = judged((tally) => {
    const ended = tally.credentialHangs();
    const now = performance.now();
    for (let turn = 0; turn < 50; turn += 1)
      tally.turn({ server: "edge", began: now, ended: now + 5, code: "token/timeout" });
    ended();
    const before = performance.now();
    for (let revocation = 0; revocation < 3; revocation += 1) tally.revokes();
    for (let turn = 0; turn < 50; turn += 1)
      tally.turn({
        server: "edge",
        began: before - 1,
        ended: performance.now() + 1,
        code: "model/token-invalid",
      });
    tally.cutsRuntime();
    const cut = performance.now();
    for (let turn = 0; turn < 50; turn += 1)
      tally.turn({ server: "functions", began: cut - 5, ended: cut + 5, code: "model/network" });
  });
  expect(faults).toEqual([]);
});
