// Replaces `fetch`, `Request` and `Response` in the network module; the build imports this file
// there. reqwest calls them.

/**
 * A request that follows no redirect, because some platforms forward the token to another host.
 *
 * Does not extend the platform's `Request`: Node holds the signal of one weakly, so a garbage
 * collection could lose the deadline.
 */
export class Request {
  readonly url: string;
  readonly init: RequestInit;

  constructor(url: string, init: RequestInit) {
    this.url = url;
    this.init = { ...init, redirect: "manual" };
  }
}

/**
 * The class that reqwest checks a response against, by its shape. The platform's class would not
 * do: some servers, such as @hono/node-server, replace it, and the responses of `fetch` are no
 * instances of the replacement.
 */
export const Response = {
  [Symbol.hasInstance]: (value: unknown): boolean =>
    typeof value === "object" && value !== null && "status" in value && "headers" in value,
};

/**
 * Sends a request. The signal ends the wait for headers and body even where the platform ignores
 * it: reqwest's deadline and cancellation depend on it alone.
 *
 * Rejects with an error whose message includes those of its causes, where Node hides the reason.
 * Adjusts responses that reqwest cannot read.
 */
export async function fetch({ url, init }: Request): Promise<Response> {
  const { signal } = init;
  const sent = globalThis.fetch(url, init);
  let response: Response;
  try {
    response = await (signal ? Promise.race([sent, rejectOnAbort(signal)]) : sent);
  } catch (error) {
    // A platform that ignores the signal may still return a response.
    sent.then(({ body }) => body?.cancel()).catch(() => {});
    // At its deadline reqwest aborts with a text as the reason.
    throw error instanceof Error ? new Error(messages(error).join(": ")) : error;
  }
  // Browsers report a redirect as status 0, which reqwest cannot read.
  if (response.type === "opaqueredirect") throw new Error("the host redirects to another address");
  // A Response that the program constructed has no URL; reqwest would panic.
  if (response.url === "") Object.defineProperty(response, "url", { value: url });
  if (response.body && signal)
    Object.defineProperty(response, "body", { value: abortable(response.body, signal) });
  return response;
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
  });
}

/** Wraps a body so that its reader fails with the signal's reason as soon as it aborts. */
function abortable(body: ReadableStream<Uint8Array>, signal: AbortSignal): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const cancel = (reason: unknown) => reader.cancel(reason).catch(() => {});
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const stop = () => {
          controller.error(signal.reason);
          void cancel(signal.reason);
        };
        signal.addEventListener("abort", stop, { once: true });
        if (signal.aborted) stop();
      },
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel,
    },
    // No read-ahead.
    { highWaterMark: 0 },
  );
}

/** Lists the messages of an error and its causes, and the codes that no message contains. */
function messages(error: unknown): string[] {
  if (typeof error !== "object" || error === null) return [];
  const { message, code, cause } = error as { message?: unknown; code?: unknown; cause?: unknown };
  const text = typeof message === "string" ? message : "";
  const codes = typeof code === "string" && !text.includes(code) ? [code] : [];
  return [text, ...codes, ...messages(cause)].filter((part) => part !== "");
}
