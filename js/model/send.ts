/** A request, but for its token: `POST` with a body, else `GET`. */
export interface Outgoing {
  url: string;
  headers: Record<string, string>;
  body?: string | undefined;
  /** For the whole answer. */
  timeoutMs: number;
}

/** Sends a request by the network module, loaded now. Rejects with the signal's reason as soon as it aborts, and with nothing else. */
export async function send(
  { url, headers, body, timeoutMs }: Outgoing,
  token: string | undefined,
  signal: AbortSignal | undefined,
): Promise<[status: number, body: string, ...headers: string[]]> {
  signal?.throwIfAborted();
  const { netModule } = await import("../wasm/net-bindings.js");
  const { cancelled, release } = cancellation(signal);
  try {
    signal?.throwIfAborted();
    const answer = await netModule().send(
      url,
      Object.entries(headers).flat(),
      body,
      token,
      timeoutMs,
      cancelled,
    );
    signal?.throwIfAborted();
    return answer as [number, string, ...string[]];
  } finally {
    release();
  }
}

/** The headers of an answer, which come in turn. */
export function paired(values: string[]): Record<string, string> {
  const pairs = values.flatMap((name, index) => (index % 2 === 0 ? [[name, values[index + 1] ?? ""]] : []));
  return Object.fromEntries(pairs);
}

/** A signal as the network module takes it. It is released in any case, so that what waits for it is let go. */
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
