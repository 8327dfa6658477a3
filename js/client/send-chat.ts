// A client for browsers, in a bundle of its own: it must stay below 2 KB.

import type { ChatEvent, ChatRequest } from "../http/contract.js";
import { systemClock } from "../platform/clock.js";

/** An event of a streamed reply. `done` is the last one. */
export type ChatReplyEvent = ChatEvent | { type: "done"; sessionId?: string; model: string };

/** Options of {@link sendChat}. */
export interface SendChatOptions {
  /** Headers of every request, such as `authorization`. */
  headers?: Record<string, string> | undefined;
  /** Ends the reply, and its turn on the server. The loop then throws the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * How often in a row a lost connection is resumed, if the handler has `resumeMs`: after 0.25, 0.5,
   * 1, 2, ... seconds, or when the server says. Default 5.
   */
  reconnects?: number | undefined;
  /** Sends the requests. Default: the platform's `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
}

/** The error of a reply. */
export class ChatError extends Error {
  override readonly name = "ChatError";
  /**
   * The handler's code, such as `chat/overloaded`; `client/network` for a connection that failed or
   * was lost, `client/invalid-reply` for an answer that no handler gives.
   */
  readonly code: string;
  /** The HTTP status, if there was one. */
  readonly status: number | undefined;
  /** What to do about it. */
  readonly hint: string | undefined;
  /** Whether the same prompt may be answered when it is sent again. */
  readonly retryable: boolean;
  /** How long the server asks to wait before that, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Finds the call in the server's log. */
  readonly correlationId: string | undefined;

  /** @internal */
  constructor({ code, detail, status, hint, retryAfter, correlationId }: Problem) {
    super(detail ?? code);
    this.code = code;
    this.status = status;
    this.hint = hint;
    this.retryable = retryAfter !== undefined || [undefined, 408, 429, 503, 504].includes(status);
    this.retryAfterMs = retryAfter && retryAfter * 1_000;
    this.correlationId = correlationId;
  }
}

interface Problem {
  code: string;
  detail?: string;
  status?: number;
  hint?: string;
  retryAfter?: number;
  correlationId?: string;
}

/** A reply: a loop over it receives its events, once. */
export interface ChatReply extends AsyncIterable<ChatReplyEvent> {
  /** The pieces of text alone. */
  texts(): AsyncGenerator<string, void, undefined>;
  /** Continues the conversation; known when the loop has ended. */
  readonly sessionId: string | undefined;
}

/**
 * Sends a prompt to a chat handler and streams the reply. Where the handler has `resumeMs`, a lost
 * connection is resumed after the last event; else it ends the reply. Leaving the loop ends the turn.
 *
 * @throws ChatError, from the loop
 * @example
 * ```ts
 * const reply = sendChat("/chat", { prompt: "Why is the sky blue?" });
 * for await (const text of reply.texts()) output.append(text);
 * const next = sendChat("/chat", { prompt: "And at dusk?", sessionId: reply.sessionId });
 * ```
 */
export function sendChat(url: string | URL, request: ChatRequest, options: SendChatOptions = {}): ChatReply {
  const events = read(url, request, options, (id) => {
    reply.sessionId = id;
  });
  const reply = {
    sessionId: undefined as string | undefined,
    [Symbol.asyncIterator]: () => events,
    async *texts() {
      for await (const event of events) if (event.type === "delta") yield event.text;
    },
  };
  return reply;
}

async function* read(
  url: string | URL,
  request: ChatRequest,
  { headers, signal, reconnects = 5, fetch: send = fetch }: SendChatOptions,
  onSession: (id: string | undefined) => void,
): AsyncGenerator<ChatReplyEvent, void, undefined> {
  /** The id of the last event. Absent if the reply cannot be resumed. */
  let last: string | undefined;
  /** Whether the server has nothing more to say. */
  let over = false;
  let failures = 0;
  const post = (body: object, init: RequestInit) =>
    send(url, {
      method: "POST",
      headers: {
        ...headers,
        "content-type": "application/json",
        accept: EVENTS_TYPE,
        ...(last && { "last-event-id": last }),
      },
      body: JSON.stringify(body),
      // The headers are for this address.
      redirect: "manual",
      ...init,
    });
  try {
    for (;;) {
      let failure: ChatError;
      const connection = new AbortController();
      const abort = () => connection.abort();
      signal?.addEventListener("abort", abort);
      try {
        signal?.throwIfAborted();
        const response = await post(last ? {} : request, { signal: connection.signal });
        if (!response.ok || !response.headers.get("content-type")?.startsWith(EVENTS_TYPE))
          throw await refusal(response);
        for await (const { id, event, data } of eventsOf(response)) {
          last = id ?? last;
          failures = 0;
          over = event === "done" || event === "error";
          const value = JSON.parse(data as string);
          if (event === "error") throw new ChatError(value);
          if (over) onSession(value.sessionId);
          yield { type: event, ...value };
          if (over) return;
        }
        throw new Error("it ended before the reply");
      } catch (error) {
        signal?.throwIfAborted();
        failure =
          error instanceof ChatError
            ? error
            : new ChatError({
                code: "client/network",
                detail: `The connection was lost: ${(error as Error).message}`,
              });
      } finally {
        signal?.removeEventListener("abort", abort);
        abort();
      }
      over ||= failure.status !== undefined && !failure.retryable;
      if (over || !last || failures === reconnects) throw failure;
      await wait(failure.retryAfterMs ?? FIRST_WAIT_MS * 2 ** failures, signal);
      failures += 1;
    }
  } finally {
    // The server would go on for a while, in case the connection comes back.
    if (last && !over) post({ cancel: true }, { keepalive: true }).catch(() => {});
  }
}

const EVENTS_TYPE = "text/event-stream";
const FIRST_WAIT_MS = 250;

/** The error of a response that is no stream. */
async function refusal(response: Response): Promise<ChatError> {
  const { status, type } = response;
  const isRedirect = type === "opaqueredirect" || (status >= 300 && status < 400);
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  return new ChatError({
    code: "client/invalid-reply",
    detail: isRedirect
      ? "The server redirects the request. Redirects are not followed: pass the address of the handler itself"
      : `The server answered ${status}, and not as a chat handler does`,
    ...problem,
    status,
  });
}

/** The fields of each server-sent event. Comments have none. */
async function* eventsOf({ body }: Response): AsyncGenerator<Record<string, string>, void, undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for (const reader = (body as ReadableStream<Uint8Array>).getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() as string;
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/, 2)));
      if (fields.data) yield fields;
    }
  }
}

async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = systemClock.setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      systemClock.clearTimeout(timer);
      resolve();
    });
  });
}
