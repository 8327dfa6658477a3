// The surface of src/wasm/net.rs, written by hand. The build puts wasm-pack's module beside it.

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
