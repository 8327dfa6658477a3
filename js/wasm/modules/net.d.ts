// The surface of crates/wasm/src/net.rs, written by hand. The build puts wasm-pack's module beside it.

export function initSync(options: { module: Uint8Array }): void;

/**
 * Sends a request: `POST` with a body, else `GET`. Headers are names and values in turn. Never rejects: without an answer the
 * status is 0 and the body what the network said. The answer is empty if `cancelled` settles before it comes.
 */
export function send(
  url: string,
  headers: string[],
  body: string | undefined,
  token: string | undefined,
  timeoutMs: number,
  cancelled: Promise<void>,
): Promise<[] | [status: number, body: string, ...headers: string[]]>;

/** A request whose answer a model streams. It is sent when the first text is asked for; `free` aborts it. */
export class Exchange {
  /** `wireApi` undefined is Anthropic's API. */
  constructor(
    url: string,
    headers: string[],
    body: string | undefined,
    token: string | undefined,
    timeoutMs: number,
    wireApi: string | undefined,
  );
  /** What the model says next. Undefined at the end, and if `cancelled` settles before it comes. */
  next(cancelled: Promise<void>): Promise<string | undefined>;
  /** Why there is no answer, or not all of it, as of {@link send}. Empty if there is. */
  failure(): [] | [status: number, body: string, ...headers: string[]];
  free(): void;
}
