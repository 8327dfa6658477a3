import { type Check, checkArgument } from "../errors/check.js";
import { type CallerFunction, callerOf } from "./caller.js";
import type { ChatCall, ChatLogEntry, ChatResponse, ChunkSource } from "./contract.js";
import { invalid } from "./limits.js";

/** How a handler of `fetch` requests knows its callers, and what it logs. */
export interface FetchSettings {
  authorize: "anonymous" | CallerFunction<Request>;
  callerMs: number;
  log: ((entry: ChatLogEntry) => void) | undefined;
}

/**
 * Wraps what answers a call into a handler of `fetch` requests.
 *
 * @throws KeylessError `chat/invalid-option` if `authorize` is neither `"anonymous"` nor a function
 */
export function fetchHandler(
  { authorize, callerMs, log = () => {} }: FetchSettings,
  answer: (call: ChatCall, url: string) => Promise<ChatResponse>,
): (request: Request) => Promise<Response> {
  if (authorize !== "anonymous" && typeof authorize !== "function")
    throw invalid('authorize is required: "anonymous", or a function', AUTHORIZE_HINT);
  return async (request) => {
    checkArgument("request", request, REQUEST, "chat/invalid-option", REQUEST_HINT);
    const call: ChatCall = {
      method: request.method,
      headers: request.headers,
      body: request.body as ChunkSource | null,
      bodyUsed: request.bodyUsed,
      caller: () => (authorize === "anonymous" ? "" : callerOf("authorize", authorize, request, callerMs)),
      correlationId: crypto.randomUUID(),
      // Not every platform's requests have a signal.
      signal: request.signal ?? new AbortController().signal,
      log,
    };
    const { status, headers, body } = await answer(call, request.url);
    return new Response(body as ConstructorParameters<typeof Response>[0], { status, headers });
  };
}

const REQUEST: Check = {
  expected: "a Request",
  fits: (value) => {
    const { method, headers } = value as Request;
    return typeof method === "string" && typeof headers.get === "function";
  },
};

const REQUEST_HINT = "Pass the unchanged request to the handler; on Node wrap it by toNodeListener.";

const AUTHORIZE_HINT =
  'Pass authorize: (request) => the caller\'s id, or false. Or "anonymous", if something in front of the handler authenticates callers.';
