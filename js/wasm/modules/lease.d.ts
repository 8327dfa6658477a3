// The bindings of crates/wasm/src/lease.rs, written by hand. The build adds wasm-pack's module.

export function initSync(options: { module: Uint8Array }): void;

/** The next request of a turn, or how it has ended. */
export type LeaseStep = "acquire" | "begin" | "tell" | "run" | "commit" | "verify" | "release" | LeaseEnding;

/** How a turn has ended for its caller. */
export type LeaseEnding = "kept" | "busy" | "not-found" | "turn-lost" | "lease-lost" | "unavailable";

/** What came of a step. */
export type LeaseOutcome = "done" | "dangling" | "held" | "missing" | "fenced" | "moved" | "again" | "failed";

/** What an answer of the storage means. */
export type StorageReply =
  | "done"
  | "held"
  | "missing"
  | "no-container"
  | "fenced"
  | "moved"
  | "exists"
  | "refused"
  | "again"
  | "failed";

export class TurnLease {
  /** The first call returns the first step, whatever it is passed. */
  next(came: LeaseOutcome): LeaseStep;
  free(): void;
}

/** Times are in milliseconds of one monotonic clock. */
export class Term {
  constructor(duration: number, asked: number);
  renewed(asked: number): void;
  renewalFailed(now: number): void;
  nextRenewal(): number;
  mayWrite(now: number): boolean;
  free(): void;
}

/** Status 0: no answer came. */
export function replyOf(status: number, code: string): StorageReply;

/** Undefined: the wait would be longer than `leftMs`. `chance` is from 0 to 1. */
export function retryWaitMs(
  attempt: number,
  chance: number,
  askedMs: number | undefined,
  leftMs: number,
): number | undefined;

export function busyWaitMs(heldMs: number, duration: number): number;
