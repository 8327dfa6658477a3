// The bindings of crates/wasm/src/net.rs, written by hand. The build adds wasm-pack's module.

export function initSync(options: { module: Uint8Array }): void;

/**
 * Sends a request: `POST` with a body, else `GET`. `headers` alternates names and values. Never
 * rejects: without a response the status is 0 and the body is the network's error message. Resolves
 * with an empty array if `cancelled` settles first.
 */
export function send(
  url: string,
  headers: string[],
  body: string | undefined,
  token: string | undefined,
  timeoutMs: number,
  cancelled: Promise<void>,
): Promise<[] | [status: number, body: string, ...headers: string[]]>;

/** A request with a streamed response. The first `next` sends it; `free` aborts it. */
export class Exchange {
  /** Without `wireApi`, uses Anthropic's API. */
  constructor(
    url: string,
    headers: string[],
    body: string | undefined,
    token: string | undefined,
    timeoutMs: number,
    wireApi: string | undefined,
  );
  /** Returns the next text of the model. Undefined at the end, and if `cancelled` settles first. */
  next(cancelled: Promise<void>): Promise<string | undefined>;
  /**
   * Returns why the response failed or was cut off, in the form of {@link send}. Empty if it is
   * complete.
   */
  failure(): [] | [status: number, body: string, ...headers: string[]];
  free(): void;
}
