import { chatError } from "./problem.js";

/** A place among the turns that run at the same time. */
export interface Slot {
  /** Names whose turn it is. Throws `chat/too-many-turns` where that one has as many as a caller may. */
  claim(caller: string): void;
  /** Gives it back, once however often it is called. */
  release(): void;
}

/** Counts what runs at the same time, in all and for each caller, and refuses what would be too much. */
export class Slots {
  readonly #most: number;
  readonly #mostPerCaller: number;
  #taken = 0;
  readonly #byCaller = new Map<string, number>();

  constructor({ turns, turnsPerCaller }: { turns: number; turnsPerCaller: number }) {
    this.#most = turns;
    this.#mostPerCaller = turnsPerCaller;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes one; whose it is may be found out later. Throws `chat/overloaded`. */
  take(): Slot {
    if (this.#taken >= this.#most) {
      throw chatError(
        "chat/overloaded",
        503,
        `${this.#most} replies are being made already`,
        undefined,
        RETRY_MS,
      );
    }
    this.#taken += 1;
    let held = true;
    let owner: string | undefined;
    return {
      claim: (caller) => {
        if (!held) return;
        const running = this.#byCaller.get(caller) ?? 0;
        if (running >= this.#mostPerCaller) {
          throw chatError(
            "chat/too-many-turns",
            429,
            `${this.#mostPerCaller} replies are being made for you already`,
            "Wait for one of them.",
            RETRY_MS,
          );
        }
        owner = caller;
        this.#byCaller.set(caller, running + 1);
      },
      release: () => {
        if (!held) return;
        held = false;
        this.#taken -= 1;
        if (owner === undefined) return;
        const left = (this.#byCaller.get(owner) ?? 1) - 1;
        if (left === 0) this.#byCaller.delete(owner);
        else this.#byCaller.set(owner, left);
      },
    };
  }
}

/** A place gets free as soon as any reply is complete. */
const RETRY_MS = 1_000;
