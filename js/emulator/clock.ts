import { KeylessError } from "../errors/keyless-error.js";

/** Supplies the time. Tests pass their own clock to let tokens expire without waiting. */
export interface EmulatorClock {
  /** Epoch milliseconds. */
  now(): number;
}

/** 100 years: beyond, JavaScript's dates and the tokens' times would end. */
const FARTHEST_MS = 100 * 365 * 24 * 60 * 60 * 1_000;

/** A clock that can be put forward. */
export class MovableClock implements EmulatorClock {
  readonly #base: EmulatorClock;
  #aheadMs = 0;

  constructor(base: EmulatorClock) {
    this.#base = base;
  }

  now(): number {
    return this.#base.now() + this.#aheadMs;
  }

  /** Throws a KeylessError `emulator/invalid-option`. */
  advance(ms: number): void {
    if (!(ms >= 0 && this.#aheadMs + ms <= FARTHEST_MS)) {
      throw new KeylessError(
        "emulator/invalid-option",
        "The clock can be put forward by a number of milliseconds from 0 on, by 100 years in all.",
      );
    }
    this.#aheadMs += ms;
  }
}
