// Resident memory of this process and of the runtimes below it, over time. The runtimes' is read
// from /proc, so on Linux only.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { childrenOf, residentBytes, residentBytesBelow } from "../support/processes.mjs";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

/** Samples memory at a fixed pace. */
export class MemoryLog {
  samples = [];
  #timer;
  #users = new Set();

  /** Takes the present child processes for the user's own runtime; later ones are the agents'. */
  tellApart() {
    this.#users = new Set(childrenOf(process.pid));
  }

  /** `turns` returns the number of turns so far. */
  start(everyMs, turns) {
    const sample = () => {
      // Uncollected garbage would count as growth, and its collection as shrinking.
      collect();
      const { rss, heapUsed } = process.memoryUsage();
      this.samples.push({ turns: turns(), own: rss, heap: heapUsed, ...this.#runtimes() });
    };
    this.#timer = setInterval(sample, everyMs);
  }

  stop() {
    clearInterval(this.#timer);
  }

  #runtimes() {
    const bytes = { users: 0, agents: 0 };
    for (const child of childrenOf(process.pid))
      bytes[this.#users.has(child) ? "users" : "agents"] += residentBytes(child) + residentBytesBelow(child);
    return bytes;
  }

  /**
   * Returns the medians of the second and the last quarter, in bytes, and the number of turns
   * between them.
   */
  quarters(field) {
    const quarter = Math.floor(this.samples.length / 4);
    if (quarter === 0) return undefined;
    const second = this.samples.slice(quarter, 2 * quarter);
    const last = this.samples.slice(-quarter);
    const [before, after] = [second, last].map((part) => median(part.map((sample) => sample[field])));
    const [from, to] = [second, last].map((part) => median(part.map(({ turns }) => turns)));
    return { before, after, turns: to - from };
  }
}

function median(numbers) {
  return numbers.sort((one, other) => one - other)[Math.floor(numbers.length / 2)];
}
