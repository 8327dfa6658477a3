/** Where the emulator takes the time from. Tests give their own to let tokens expire without waiting. */
export interface EmulatorClock {
  /** Epoch milliseconds. */
  now(): number;
}

/** The machine's clock: the only place in the emulator that reads it. */
export const systemClock: EmulatorClock = { now: () => Date.now() };
