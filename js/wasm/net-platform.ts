// Replaces the platform's `fetch`, `Request` and `Response` in the network module; the build imports this file there.

/**
 * What reqwest makes of a request. It follows no redirect, because not every platform takes the token off on the way to another host.
 *
 * Not the platform's own `Request`: Node holds that one's signal weakly, so that a garbage collection loses the deadline.
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
 * What reqwest checks an answer against. Not the platform's class: some servers, such as @hono/node-server, put one of their own in its
 * place, of which no answer of `fetch` is an instance.
 */
export const Response = {
  [Symbol.hasInstance]: (value: unknown): boolean =>
    typeof value === "object" && value !== null && "status" in value && "headers" in value,
};

/**
 * Sends a request. The signal ends the wait for the headers and for the body here, whatever the platform does with it: reqwest's deadline
 * and its cancellation depend on nothing else.
 *
 * An error says in one line what Node hides in its causes, and reqwest can read every answer.
 */
export async function fetch({ url, init }: Request): Promise<Response> {
  const { signal } = init;
  const sent = globalThis.fetch(url, init);
  let response: Response;
  try {
    response = await (signal ? Promise.race([sent, aborted(signal)]) : sent);
  } catch (error) {
    // A platform that ignores the signal may answer yet.
    sent.then(({ body }) => body?.cancel()).catch(() => {});
    // reqwest aborts with a text of its own when the time is up.
    throw error instanceof Error ? new Error(words(error).join(": ")) : error;
  }
  // Browsers hide a redirect behind a status of 0, which reqwest cannot read.
  if (response.type === "opaqueredirect") throw new Error("the host redirects to another address");
  // A Response that a program made itself has no address; reqwest would panic.
  if (response.url === "") Object.defineProperty(response, "url", { value: url });
  if (response.body && signal)
    Object.defineProperty(response, "body", { value: abortable(response.body, signal) });
  return response;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
  });
}

/** A body whose reader fails with the signal's reason as soon as it aborts. */
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
    // Reads no further than its own reader does.
    { highWaterMark: 0 },
  );
}

/** The messages of an error and its causes, with the codes that the messages do not contain. */
function words(error: unknown): string[] {
  if (typeof error !== "object" || error === null) return [];
  const { message, code, cause } = error as { message?: unknown; code?: unknown; cause?: unknown };
  const text = typeof message === "string" ? message : "";
  const coded = typeof code === "string" && !text.includes(code) ? [code] : [];
  return [text, ...coded, ...words(cause)].filter((part) => part !== "");
}
