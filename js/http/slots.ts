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
        RETRY_MS,
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

  #free(owner: string | undefined): void {
    this.#taken -= 1;
    if (this.#taken === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    if (owner === undefined) return;
    const remaining = (this.#byCaller.get(owner) ?? 1) - 1;
    if (remaining === 0) this.#byCaller.delete(owner);
    else this.#byCaller.set(owner, remaining);
  }
}

/** How long an ended turn may keep its slot, in milliseconds. */
export const RELEASE_MS = 1_000;

/** `Retry-After`, in milliseconds. A slot becomes free as soon as a reply ends. */
const RETRY_MS = 1_000;

function inProgress(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several} in progress already`;
}
