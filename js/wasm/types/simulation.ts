import type { RefreshPolicy, TokenStatus } from "./token.js";

/**
 * A script for a simulated token provider. All fields are optional. Times and durations are in
 * milliseconds; points in time count from the start of the scenario.
 */
export interface RefreshScenario {
  /** The length of the scenario. Default 7,200,000 (two hours), at most 30 days. */
  durationMs?: number;
  /** The tokens that the identity endpoint issues. */
  token?: {
    /**
     * The lifetimes of successive tokens. The last one applies to all that follow. Default
     * `[3_600_000]`.
     */
    lifetimesMs?: number[];
    /** The refresh time that their issuer advises, counted from the request. Default: none. */
    refreshAfterMs?: number;
    /**
     * How long the endpoint returns the same token again, as a platform's cache does. Default 0.
     */
    cachedForMs?: number;
  };
  /** The response time of the identity endpoint. Default 200. */
  latencyMs?: number;
  /** Failures of the identity endpoint. Default mode `reset`, default status 500. */
  outages?: {
    fromMs: number;
    toMs: number;
    mode?: "reset" | "hang" | "status";
    status?: number;
    retryAfterMs?: number;
  }[];
  /** The calls of the provider. Default: every 60,000 ms. */
  calls?: { everyMs?: number; fromMs?: number; toMs?: number; atMs?: number[] };
  /** Changes of the wall clock. */
  clockSteps?: { atMs: number; byMs: number }[];
  /** When the machine sleeps: the monotonic clock stops and there are no calls. */
  suspends?: { fromMs: number; toMs: number }[];
  /** When the resource rejects the current token. */
  invalidationsMs?: number[];
  /** Also refresh on a timer while there are no calls. Default false. */
  keepFresh?: boolean;
  /** The number of instances, each with its own random numbers. Default 1, at most 100,000. */
  instances?: number;
  /** The time within which all instances start. Default 1,000. */
  startSpreadMs?: number;
  /** The width of a bucket of the fleet's request rate. Default: a 240th of the duration. */
  bucketMs?: number;
  policy?: Partial<RefreshPolicy>;
  /**
   * The refresh strategy: this package's schedule (`keyless`, the default), one token per call
   * (`per-call`), or a cached token with a refresh window of two minutes and a retry every three
   * seconds (`fixed-window`).
   */
  strategy?: "keyless" | "per-call" | "fixed-window";
  /** The seed of the random numbers. The same seed gives the same timeline. Default 1. */
  seed?: number;
}

/**
 * The result of a simulation, in milliseconds from the start. `phases`, `attempts` and `calls` show
 * the first instance, with at most 5,000 entries each. `totals` and `fleet` count all instances.
 */
export interface RefreshTimeline {
  durationMs: number;
  phases: { phase: TokenStatus["state"]; fromMs: number; toMs: number }[];
  /** Requests to the identity endpoint. */
  attempts: {
    atMs: number;
    endMs: number;
    /** Whether no caller waited for it when it was sent. */
    background: boolean;
    outcome: "succeeded" | "unchanged" | "failed" | "abandoned";
  }[];
  calls: {
    atMs: number;
    waitMs: number;
    /**
     * `fresh` and `due`: served at once with a token in that state. `waited`: served after a wait.
     * `failed`: got no token. `dead`: served with an expired token.
     */
    outcome: "fresh" | "due" | "waited" | "failed" | "dead";
    /** The error's code if it failed. */
    code?: string;
  }[];
  /** Whether the lists omit entries. */
  truncated: boolean;
  totals: {
    calls: number;
    fresh: number;
    due: number;
    waited: number;
    failed: number;
    dead: number;
    /** The longest wait of a call that received a token. */
    longestWaitMs: number;
    attempts: number;
    failedAttempts: number;
  };
  /** The rate of requests to the identity endpoint. */
  fleet: { instances: number; bucketMs: number; requests: number[]; peak: number };
}
