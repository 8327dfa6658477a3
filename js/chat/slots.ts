import { chatError } from "./problem.js";

/** Counts what runs at the same time, and refuses what would be too much. */
export class Slots {
  readonly #limit: number;
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes one. Returns the way to give it back, once however often it is called. */
  take(): () => void {
    if (this.#taken >= this.#limit) {
      throw chatError(
        "chat/overloaded",
        503,
        `${this.#limit} replies are being made already`,
        undefined,
        RETRY_MS,
      );
    }
    this.#taken += 1;
    let held = true;
    return () => {
      if (held) this.#taken -= 1;
      held = false;
    };
  }
}

/** A place gets free as soon as any reply is complete. */
const RETRY_MS = 1_000;
