/** Where the emulator takes the time from. Tests give their own to let tokens expire without waiting. */
export interface EmulatorClock {
  /** Epoch milliseconds. */
  now(): number;
}
