// Random numbers that repeat: the same seed and name give the same numbers on every machine.

import { createHash } from "node:crypto";

/**
 * Returns a stream of numbers for a name, so that one consumer does not shift the numbers of
 * another.
 */
export function randomOf(seed, name) {
  let state = createHash("sha256").update(`${seed}/${name}`).digest().readUInt32LE();
  /** Uniform in 0..1 (mulberry32). */
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    /** An integer from `least` to `most`, both included. */
    whole: (least, most) => least + Math.floor(next() * (most - least + 1)),
    chance: (share) => next() < share,
    pick: (list) => list[Math.floor(next() * list.length)],
  };
}
