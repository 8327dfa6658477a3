import { type AppContext, pause } from "./http.js";

/** A server-sent event. `delta` marks a piece of the reply, which the stream delays. */
export interface ServerSentEvent {
  readonly event?: string;
  readonly data: object | "[DONE]";
  readonly delta?: true;
}

/**
 * Streams events, with a delay before each piece of the reply. Stops when the caller disconnects.
 */
export function streamEvents(c: AppContext, events: Iterable<ServerSentEvent>, delayMs: number): Response {
  const source = events[Symbol.iterator]();
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = source.next();
        if (done) {
          controller.close();
          return;
        }
        if (value.delta && delayMs > 0) await pause(c, delayMs);
        controller.enqueue(encoder.encode(format(value)));
      },
    },
    { highWaterMark: 0 },
  );
  return c.newResponse(body, 200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "transfer-encoding": "chunked",
  });
}

function format({ event, data }: ServerSentEvent): string {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  return `${event === undefined ? "" : `event: ${event}\n`}data: ${text}\n\n`;
}
