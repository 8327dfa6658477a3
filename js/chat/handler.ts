import { callback } from "../errors/check.js";
import type { CallerFunction } from "../http/caller.js";
import type { ChatLogEntry } from "../http/contract.js";
import { fetchHandler } from "../http/fetch-handler.js";
import { readServiceOptions, type ServiceOptions } from "./options.js";
import { ChatService, type CloseOptions } from "./service.js";
import type { ChatStatus } from "./worker.js";

/** Options of {@link createChatHandler}. */
export interface ChatHandlerOptions extends ServiceOptions {
  /**
   * Identifies callers. `"anonymous"`: serves every request as one caller, so something in front of
   * the handler must authenticate; who has the id of a conversation can continue it. Otherwise a
   * function that returns the caller's unique id, or `false` for 401. It may be async, and must not
   * read or clone the request. If it throws, the response is a 500 without the error.
   */
  authorize: "anonymous" | CallerFunction<Request>;
  /**
   * Receives a log entry at the end of every call, without prompt and reply. Errors that it throws
   * are ignored.
   */
  onLog?: ((entry: ChatLogEntry) => void) | undefined;
}

/** A handler of requests, with the state that all of them share. */
export type ChatHandler = ((request: Request) => Promise<Response>) & {
  /** Reports the state, without a token. Sends no request and starts nothing. */
  status(): ChatStatus;
  /**
   * Answers new requests 503 `chat/closing`, lets running turns end within `drainMs` (default
   * 5,000 ms), and then ends the runtime and the tokens. Call it again with less to hasten it.
   */
  close(options?: CloseOptions): Promise<void>;
};

/**
 * Creates a chat handler for any server that has `Request` and `Response`: it answers a prompt with
 * a reply of the Copilot SDK, as server-sent events or JSON. For Express, Fastify and plain Node
 * pass it to {@link toNodeListener}. Create one per process: all requests share its runtime and its
 * tokens, which start with the first request, or at once with `warmUp`.
 *
 * @throws KeylessError `chat/invalid-option`. Errors of the environment are reported by the first
 * request and by `status`
 * @example
 * ```ts
 * const chat = createChatHandler({
 *   authorize: async (request) => (await userOf(request.headers.get("cookie")))?.id ?? false,
 * });
 * app.post("/chat", (c) => chat(c.req.raw)); // Hono
 * process.once("SIGTERM", () => chat.close());
 * ```
 */
export function createChatHandler(options: ChatHandlerOptions): ChatHandler {
  const { authorize, onLog, ...read } = readServiceOptions(options, {
    authorize: { expected: '"anonymous", or a function', fits: () => true },
    onLog: callback,
  });
  const service = new ChatService(read, { identified: authorize !== "anonymous" });
  const { callerMs } = service.limits;
  const handle = fetchHandler({ authorize, callerMs, log: onLog }, (call) => service.respond(call));
  return Object.assign(handle, {
    status: () => service.status(),
    close: (how?: CloseOptions) => service.close(how),
  });
}
