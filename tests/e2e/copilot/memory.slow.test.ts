// Runs 200 turns: the emulator, this process and the runtime together stay below 400 MB, and our
// heap does not grow with the turns.

import { readdirSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { FoundryAgent } from "copilot-keyless";
import { afterAll, expect, test } from "vitest";
import { emulated } from "../support.js";

const TURNS = 200;
const WARM_UP = 60;

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

// A short log, so that the emulator's record is full before the measurement.
const emulator = await emulated({ logLimit: 20 });
const agent = new FoundryAgent({ session: { availableTools: [] } });
afterAll(() => agent.close());

/** Returns the resident bytes of this process and all its descendants. */
function residentBytes(): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // The process has ended.
    }
  }
  const below = (pid: number): number[] => [
    pid,
    ...[...parents].filter(([, parent]) => parent === pid).flatMap(([child]) => below(child)),
  ];
  return below(process.pid).reduce((sum, pid) => {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
    return sum + pages * 4096;
  }, 0);
}

function heapBytes(): number {
  for (let round = 0; round < 4; round += 1) collect();
  return process.memoryUsage().heapUsed;
}

test.runIf(process.platform === "linux")(
  "200 turns in under 400 MB, no growth by turns",
  { timeout: 120_000 },
  async () => {
    let warm = 0;
    let peak = 0;
    for (let turn = 1; turn <= TURNS; turn += 1) {
      expect(await agent.chat(`Turn ${turn}`)).toContain(`Turn ${turn}`);
      if (turn === WARM_UP) warm = heapBytes();
      if (turn % 20 === 0) peak = Math.max(peak, residentBytes());
    }
    const perTurn = (heapBytes() - warm) / (TURNS - WARM_UP);
    console.log(`peak ${(peak / 1e6).toFixed(0)} MB resident; ${perTurn.toFixed(0)} bytes of heap a turn`);
    expect(emulator.counts.foundry).toBe(TURNS);
    expect(emulator.counts.identity).toBe(1);
    expect(peak).toBeLessThan(400e6);
    expect(perTurn).toBeLessThan(4_000);
  },
);
