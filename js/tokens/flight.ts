import type { KeylessError } from "../errors/keyless-error.js";
import type { AccessToken } from "../wasm/token.js";

/** What callers wait for. */
export interface Landing {
  promise: Promise<AccessToken>;
  resolve: (token: AccessToken | Promise<AccessToken>) => void;
  reject: (error: KeylessError) => void;
}

/** An acquisition under way, for as many callers as wait for it. */
export interface Flight extends Landing {
  readonly id: number;
  readonly abort: AbortController;
  readonly background: boolean;
  /** What a resource's challenge asks for. */
  readonly claims: string | undefined;
  /** On the monotonic clock. */
  readonly startedOn: number;
  /** Whether callers wait: then the process must live until the deadline tells them. */
  awaited: boolean;
  deadline?: unknown;
  retry?: unknown;
  attempts: number;
  /** Why its last attempt failed, if another was to follow. */
  failure?: KeylessError;
}

/** What nobody has landed on yet. */
export function landing(): Landing {
  let resolve!: Landing["resolve"];
  let reject!: Landing["reject"];
  const promise = new Promise<AccessToken>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Nobody may be waiting; a failure is in the status and the events all the same.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
