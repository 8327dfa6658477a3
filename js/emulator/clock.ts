/** Supplies the time. Tests pass their own clock to let tokens expire without waiting. */
export interface EmulatorClock {
  /** Epoch milliseconds. */
  now(): number;
}
