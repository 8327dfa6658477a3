import type { RefreshPolicy, TokenStatus } from "./token.js";

/**
 * A token provider's scripted life. Every field may be left out. Times and durations are milliseconds; points in time count
 * from the start of the scenario.
 */
export interface RefreshScenario {
  /** How long it lasts. Default 7,200,000 (two hours), at most 30 days. */
  durationMs?: number;
  /** The tokens that the identity endpoint gives. */
  token?: {
    /** How long they live, one after another; the last one goes for all that follow. Default `[3_600_000]`. */
    lifetimesMs?: number[];
    /** When their issuer would refresh them, from the request on. */
    refreshAfterMs?: number;
    /** For how long the endpoint gives the same token again, as a platform's cache does. Default 0. */
    cachedForMs?: number;
  };
  /** How long the identity endpoint takes to answer. Default 200. */
  latencyMs?: number;
  /** When the identity endpoint fails, and how. Default mode `reset`; default status 500. */
  outages?: {
    fromMs: number;
    toMs: number;
    mode?: "reset" | "hang" | "status";
    status?: number;
    retryAfterMs?: number;
  }[];
  /** When callers want a token. Default: every 60,000 ms. */
  calls?: { everyMs?: number; fromMs?: number; toMs?: number; atMs?: number[] };
  /** When the wall clock is set, and by how much. */
  clockSteps?: { atMs: number; byMs: number }[];
  /** When the machine sleeps: the monotonic clock stands still and nobody calls. */
  suspends?: { fromMs: number; toMs: number }[];
  /** When the resource rejects the token that is held. */
  invalidationsMs?: number[];
  /** Whether the token is refreshed on a timer while nobody calls. Default false. */
  keepFresh?: boolean;
  /** How many instances live this life, each with its own chance. Default 1, at most 100,000. */
  instances?: number;
  /** Within which time they start. Default 1,000. */
  startSpreadMs?: number;
  /** How long a bucket of the fleet's request rate is. Default: a 240th of the duration. */
  bucketMs?: number;
  policy?: Partial<RefreshPolicy>;
  /**
   * What is in charge: this package's schedule (`keyless`, the default), a token a call (`per-call`), or a kept token with a
   * refresh window of two minutes and a retry every three seconds (`fixed-window`).
   */
  strategy?: "keyless" | "per-call" | "fixed-window";
  /** What chance begins with; the same seed gives the same timeline. Default 1. */
  seed?: number;
}

/**
 * What happened, in milliseconds from the start. `phases`, `attempts` and `calls` show the first instance, 5,000 entries each at
 * the most; `totals` and `fleet` count all instances.
 */
export interface RefreshTimeline {
  durationMs: number;
  phases: { phase: TokenStatus["state"]; fromMs: number; toMs: number }[];
  /** Requests at the identity endpoint. */
  attempts: {
    atMs: number;
    endMs: number;
    /** Whether nobody waited for it when it was sent. */
    background: boolean;
    outcome: "succeeded" | "unchanged" | "failed" | "abandoned";
  }[];
  calls: {
    atMs: number;
    waitMs: number;
    /** Served at once with a `fresh` token or one that is `due`; after a wait; not at all; or with a `dead` token. */
    outcome: "fresh" | "due" | "waited" | "failed" | "dead";
    /** The error's code where it failed. */
    code?: string;
  }[];
  /** Whether entries had to be left out of the lists. */
  truncated: boolean;
  totals: {
    calls: number;
    fresh: number;
    due: number;
    waited: number;
    failed: number;
    dead: number;
    /** The longest wait of a call that got a token. */
    longestWaitMs: number;
    attempts: number;
    failedAttempts: number;
  };
  /** The request rate at the identity endpoint. */
  fleet: { instances: number; bucketMs: number; requests: number[]; peak: number };
}
