import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import { callerOf } from "../http/caller.js";
import { type ChatLogEntry, type ChunkSource, DEFAULT_TIMEOUT_MS } from "../http/contract.js";
import { respond } from "../http/respond.js";
import { Slots } from "../http/slots.js";
import { LONGEST_TIMER_MS } from "../platform/clock.js";
import { connectionOf, trackConnections } from "./connection.js";
import { type ChatHandlerOptions, checkedModels, limitsOf, readHandlerOptions } from "./options.js";
import { type ChatStatus, ChatWorker } from "./worker.js";

/** A handler for `app.http`, with the state of its worker. */
export type ChatHandler = HttpHandler & {
  /** Reports the state of the worker, without a token. Sends no request and starts nothing. */
  status(): ChatStatus;
  /**
   * Ends all turns, the runtime and the tokens. Later requests are answered 503 `chat/closing`. The
   * Functions host does this when it stops the app.
   */
  close(): Promise<void>;
};

/**
 * Creates an HTTP handler for Azure Functions that answers a prompt with a reply of the Copilot
 * SDK, as server-sent events or JSON. Create one per app: all invocations share its runtime and its
 * tokens, which start with the first invocation and end with the app.
 *
 * @throws KeylessError `chat/invalid-option`. Errors of the environment are reported by the first
 * request, not when the app loads
 * @example
 * ```ts
 * app.setup({ enableHttpStream: true });
 * const chat = createChatHandler();
 * app.http("chat", { methods: ["POST"], authLevel: "function", handler: chat });
 * app.http("health", { methods: ["GET"], authLevel: "function", handler: createHealthHandler(chat)
 * }); ```
 */
export function createChatHandler(options: ChatHandlerOptions = {}): ChatHandler {
  const read = readHandlerOptions(options);
  const { models, limits: given, caller, exposeErrors, ...rest } = read;
  const limits = limitsOf(given, caller !== undefined || isSignInEnabled());
  const slots = new Slots(limits);
  const worker = new ChatWorker(rest, checkedModels(models), limits, () => {
    closeWithApp(() => worker.close());
  });
  const { bodyMs, callerMs, stallMs } = limits;
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = read;
  const settings = {
    engine: worker.answer.bind(worker),
    limits,
    slots,
    // The agent ends a turn earlier and says why. This is for turns that hang.
    deadlineMs: Math.min(callerMs + bodyMs + timeoutMs + stallMs, LONGEST_TIMER_MS),
    isClosed: () => worker.closed,
    expose: exposeErrors ?? process.env.AZURE_FUNCTIONS_ENVIRONMENT === "Development",
  };
  trackConnections();
  const handle = async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
    const connection = connectionOf(context.invocationId);
    let returned = false;
    const { status, headers, body } = await respond(
      {
        method: request.method,
        headers: request.headers,
        body: request.body as ChunkSource | null,
        bodyUsed: request.bodyUsed,
        caller: () => (caller ? callerOf("caller", caller, request, callerMs) : signedInCaller(request)),
        correlationId: correlationId(request, context),
        // Without a connection the end of the stream shows that the caller has left.
        signal: connection?.signal ?? new AbortController().signal,
        ready: connection && (() => connection.ready(stallMs)),
        log: (entry) => write(entry, returned ? console : context),
      },
      settings,
    );
    returned = true;
    return { status, headers, body: body as NonNullable<HttpResponseInit["body"]> };
  };
  const status = (): ChatStatus => ({ ...worker.status(), turns: slots.taken });
  return Object.assign(handle, { status, close: () => worker.close() });
}

/**
 * Closes the worker when the host stops the app. Called with the first request: by then a Functions
 * worker has loaded the package.
 */
function closeWithApp(close: () => Promise<void>): void {
  import("@azure/functions").then(
    ({ app }) => app.hook.appTerminate(close),
    () => {},
  );
}

/**
 * Logs a line of JSON. The Functions library warns about entries that are logged through the
 * context after the handler returned.
 */
function write(entry: ChatLogEntry, to: Pick<Console, "info" | "warn" | "error">): void {
  to[entry.level](JSON.stringify(entry));
}

const TRACE_PARENT = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/;

/**
 * The id of the trace that the host or the caller started, which Application Insights uses; else
 * that of the invocation.
 */
function correlationId({ headers }: HttpRequest, { traceContext, invocationId }: InvocationContext): string {
  const given = traceContext?.traceParent ?? headers.get("traceparent") ?? "";
  return TRACE_PARENT.exec(given)?.[1] ?? invocationId;
}

/** Whether App Service authentication is enabled. Otherwise anybody could send its headers. */
function isSignInEnabled(): boolean {
  return process.env.WEBSITE_AUTH_ENABLED?.toLowerCase() === "true";
}

/** The user that App Service authentication has signed in, or "". */
function signedInCaller({ headers }: HttpRequest): string {
  if (!isSignInEnabled()) return "";
  const id = headers.get("x-ms-client-principal-id");
  return id ? JSON.stringify([headers.get("x-ms-client-principal-idp"), id]) : "";
}
