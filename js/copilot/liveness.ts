import type { CopilotClient } from "@github/copilot-sdk";
import { systemClock } from "../platform/clock.js";
import { node } from "../platform/node.js";
import { withDeadline } from "../platform/with-deadline.js";

/** How long the runtime may take to answer a ping, in milliseconds. */
const PING_MS = 5_000;

/** How many pings in a row may stay without an answer and without any other sign of life. */
const SILENT_PINGS = 2;

/** How many pings may stay without an answer, whatever else there is. */
const MOST_PINGS = 12;

/** A timer that fires this much later than it should, in milliseconds, shows a busy machine. */
const LATE_MS = 500;

/**
 * The share of a ping's time for which a runtime that is at work has a processor, also on a machine
 * with ten times as much to do as it can. One that hangs has none.
 */
const WORKING = 0.02;

/** A tick of the processor times of Linux, in milliseconds. */
const TICK_MS = 10;

/** Which runtimes are alive, by their clients: several agents may share one. */
const known = new WeakMap<CopilotClient, Liveness>();

/** Returns the liveness of a client's runtime. */
export function livenessOf(client: CopilotClient): Liveness {
  const liveness = known.get(client) ?? new Liveness(client);
  known.set(client, liveness);
  return liveness;
}

/**
 * Tells whether a runtime is alive. The end of its process closes the connection, so a ping fails at
 * once. Silence shows a runtime that hangs only if it does nothing either: on a busy machine a
 * healthy one may be silent for long, and ending it would end all its conversations.
 */
export class Liveness {
  readonly #client: CopilotClient;
  /** When the runtime last sent something, on the monotonic clock. */
  #lastSign = Number.NEGATIVE_INFINITY;
  /** One check for all turns: with hundreds of them, the pings alone would keep the runtime busy. */
  #check: Promise<boolean> | undefined;

  constructor(client: CopilotClient) {
    this.#client = client;
  }

  /** Notes that the runtime has sent something. */
  noteSign(): void {
    this.#lastSign = systemClock.monotonic();
  }

  /** Pings the runtime. Never rejects. */
  check(): Promise<boolean> {
    this.#check ??= this.#ping().finally(() => {
      this.#check = undefined;
    });
    return this.#check;
  }

  async #ping(): Promise<boolean> {
    let silent = 0;
    for (let sent = 0; silent < SILENT_PINGS && sent < MOST_PINGS; sent += 1) {
      const began = systemClock.monotonic();
      const usedBefore = processorMs(this.#client);
      const answered = this.#client.ping().then(
        () => true,
        () => false,
      );
      const alive = await withDeadline<boolean | undefined>(answered, PING_MS, () => undefined);
      if (alive !== undefined) return alive;
      // Where this process was held up, so was the runtime, or its answer is waiting to be read.
      const isLate = systemClock.monotonic() - began - PING_MS >= LATE_MS;
      const isWorking = processorMs(this.#client) - usedBefore >= PING_MS * WORKING;
      silent = isLate || isWorking || this.#lastSign >= began ? 0 : silent + 1;
    }
    return false;
  }
}

/** How long the runtime's process has had a processor, in milliseconds. 0 where that is unknown. */
function processorMs(client: CopilotClient): number {
  const { cliProcess } = client as unknown as { cliProcess?: { pid?: number } | null };
  if (cliProcess?.pid === undefined) return 0;
  try {
    const stat = node.fs.readFileSync(`/proc/${cliProcess.pid}/stat`, "utf8");
    // After the name of the program: the state, and further on the times.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    // On Linux alone.
    return 0;
  }
}
