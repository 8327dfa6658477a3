import { chatError } from "./problem.js";

/** The right to run one of the concurrent turns. */
export interface Slot {
  /**
   * Assigns the slot to a caller. Throws `chat/too-many-turns` if the caller has too many already.
   */
  claim(caller: string): void;
  /** Releases the slot. Later calls do nothing. */
  release(): void;
}

/** Limits concurrent turns, in total and per caller. */
export class Slots {
  readonly #limit: number;
  readonly #limitPerCaller: number;
  #taken = 0;
  readonly #byCaller = new Map<string, number>();

  constructor({ turns, turnsPerCaller }: { turns: number; turnsPerCaller: number }) {
    this.#limit = turns;
    this.#limitPerCaller = turnsPerCaller;
  }

  get taken(): number {
    return this.#taken;
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
    let owner: string | undefined;
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
        if (released) return;
        released = true;
        this.#taken -= 1;
        if (owner === undefined) return;
        const remaining = (this.#byCaller.get(owner) ?? 1) - 1;
        if (remaining === 0) this.#byCaller.delete(owner);
        else this.#byCaller.set(owner, remaining);
      },
    };
  }
}

/** `Retry-After`, in milliseconds. A slot becomes free as soon as a reply ends. */
const RETRY_MS = 1_000;

function inProgress(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several} in progress already`;
}
