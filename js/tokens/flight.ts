import type { KeylessError } from "../errors/keyless-error.js";
import type { AccessToken } from "../wasm/types/token.js";

/** A promise of a token, with the functions that settle it. */
export interface DeferredToken {
  promise: Promise<AccessToken>;
  resolve: (token: AccessToken | Promise<AccessToken>) => void;
  reject: (error: KeylessError) => void;
}

/** An acquisition in flight, shared by all callers that wait for it. */
export interface Flight extends DeferredToken {
  readonly id: number;
  readonly abort: AbortController;
  readonly background: boolean;
  /** The claims of the challenge that it answers. */
  readonly claims: string | undefined;
  /** On the monotonic clock. */
  readonly startedOn: number;
  /** Whether callers wait for it. Then its deadline keeps the process alive. */
  awaited: boolean;
  deadline?: unknown;
  retry?: unknown;
  attempts: number;
  /** The error of its last attempt, if it will be retried. */
  failure?: KeylessError;
}

/** Creates a {@link DeferredToken}. */
export function deferToken(): DeferredToken {
  let resolve!: DeferredToken["resolve"];
  let reject!: DeferredToken["reject"];
  const promise = new Promise<AccessToken>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // Possibly nobody waits for it; the status and the events report a failure all the same.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
