/** A request without its token: `POST` with a body, else `GET`. */
export interface OutgoingRequest {
  url: string;
  headers: Record<string, string>;
  body?: string | undefined;
  /** The deadline for the whole response. */
  timeoutMs: number;
}

/**
 * Sends a request with the network module, which it loads. Rejects only when the signal aborts,
 * with its reason; see `send` of net.d.ts for a network failure.
 */
export async function send(
  { url, headers, body, timeoutMs }: OutgoingRequest,
  token: string | undefined,
  signal: AbortSignal | undefined,
): Promise<[status: number, body: string, ...headers: string[]]> {
  signal?.throwIfAborted();
  const { netModule } = await import("./net-bindings.js");
  const { cancelled, release } = cancellation(signal);
  try {
    signal?.throwIfAborted();
    const response = await netModule().send(
      url,
      Object.entries(headers).flat(),
      body,
      token,
      timeoutMs,
      cancelled,
    );
    signal?.throwIfAborted();
    return response as [number, string, ...string[]];
  } finally {
    release();
  }
}

/** Converts alternating names and values to an object. */
export function toHeaders(values: string[]): Record<string, string> {
  const pairs = values.flatMap((name, index) => (index % 2 === 0 ? [[name, values[index + 1] ?? ""]] : []));
  return Object.fromEntries(pairs);
}

/**
 * Converts a signal to a promise for the network module. Call `release` in any case: it settles the
 * promise, so that the module stops waiting for it.
 */
export function cancellation(signal: AbortSignal | undefined): { cancelled: Promise<void>; release(): void } {
  let cancel = () => {};
  const cancelled = new Promise<void>((resolve) => {
    cancel = resolve;
  });
  signal?.addEventListener("abort", cancel);
  const release = () => {
    signal?.removeEventListener("abort", cancel);
    cancel();
  };
  return { cancelled, release };
}
