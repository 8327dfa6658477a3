import { systemClock } from "../platform/clock.js";
import { chatError } from "./problem.js";

/** The right to run one of the concurrent turns. */
export interface Slot {
  /**
   * Assigns the slot to a caller. Throws `chat/too-many-turns` if the caller has too many already.
   */
  claim(caller: string): void;
  /** Releases the slot. Later calls do nothing. */
  release(): void;
  /** Keeps the slot in spite of `release`. Returns the function that releases it. */
  keep(): () => void;
}

/** Limits concurrent turns, in total and per caller. */
export class Slots {
  readonly #limit: number;
  readonly #limitPerCaller: number;
  #taken = 0;
  readonly #byCaller = new Map<string, number>();
  #onIdle: (() => void)[] = [];
  /** The average time between the ends of two turns, in milliseconds. */
  #gapMs = 0;
  #lastEnd: number | undefined;
  /** When there is room for the last of the callers who were told to come later. */
  #room = 0;

  constructor({ turns, turnsPerCaller }: { turns: number; turnsPerCaller: number }) {
    this.#limit = turns;
    this.#limitPerCaller = turnsPerCaller;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Resolves when no slot is taken. */
  async idle(): Promise<void> {
    if (this.#taken > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Takes a slot, before its caller is known. Throws `chat/overloaded`. */
  take(): Slot {
    if (this.#taken >= this.#limit) {
      throw chatError(
        "chat/overloaded",
        503,
        inProgress(this.#limit, "reply is", "replies are"),
        undefined,
        this.#wait(),
      );
    }
    this.#taken += 1;
    let released = false;
    let kept = false;
    let owner: string | undefined;
    const release = () => {
      if (released) return;
      released = true;
      this.#free(owner);
    };
    return {
      claim: (caller) => {
        if (released) return;
        const running = this.#byCaller.get(caller) ?? 0;
        if (running >= this.#limitPerCaller) {
          throw chatError(
            "chat/too-many-turns",
            429,
            inProgress(this.#limitPerCaller, "of your requests is", "of your requests are"),
            "Wait until one of them ends.",
            RETRY_MS,
          );
        }
        owner = caller;
        this.#byCaller.set(caller, running + 1);
      },
      release: () => {
        if (!kept) release();
      },
      keep: () => {
        kept = true;
        return release;
      },
    };
  }

  /**
   * Returns when a refused caller should come, in milliseconds, as if the callers stood in a queue:
   * each when there is room for it. If all came after a second, a server that is far too small would
   * be busy with telling them so again.
   */
  #wait(): number {
    const now = systemClock.monotonic();
    this.#room = Math.min(Math.max(this.#room, now) + this.#gapMs / AT_ONCE, now + MOST_RETRY_MS);
    return Math.max(this.#room - now, RETRY_MS);
  }

  #free(owner: string | undefined): void {
    this.#taken -= 1;
    const now = systemClock.monotonic();
    // Nothing ends for long where nobody asks.
    const gapMs = Math.min(now - (this.#lastEnd ?? now), RETRY_MS);
    this.#gapMs += (gapMs - this.#gapMs) * WEIGHT;
    this.#lastEnd = now;
    if (this.#taken === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    if (owner === undefined) return;
    const remaining = (this.#byCaller.get(owner) ?? 1) - 1;
    if (remaining === 0) this.#byCaller.delete(owner);
    else this.#byCaller.set(owner, remaining);
  }
}

/** How long an ended turn may keep its slot, in milliseconds. */
export const RELEASE_MS = 1_000;

/** The least `Retry-After`, in milliseconds. A slot becomes free as soon as a reply ends. */
const RETRY_MS = 1_000;

/** The longest, in milliseconds. */
const MOST_RETRY_MS = 30_000;

/** How many of those who wait are told the same moment: some do not come, or come late. */
const AT_ONCE = 2;

/** The weight of the last turn in the average time between two. */
const WEIGHT = 1 / 16;

function inProgress(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several} in progress already`;
}
