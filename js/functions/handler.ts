import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import { callerOf } from "../http/caller.js";
import { type ChatLogEntry, type ChunkSource, DEFAULT_TIMEOUT_MS } from "../http/contract.js";
import { respond } from "../http/respond.js";
import { Slots } from "../http/slots.js";
import { LONGEST_TIMER_MS } from "../platform/clock.js";
import { connectionOf, watchConnections } from "./connection.js";
import { type ChatHandlerOptions, checkedModels, limitsOf, readHandlerOptions } from "./options.js";
import { type ChatStatus, ChatWorker } from "./worker.js";

/** A handler for `app.http`, and the worker behind it. */
export type ChatHandler = HttpHandler & {
  /** How the worker stands, without a token. Asks nothing of anybody and starts nothing. */
  status(): ChatStatus;
  /** Ends it all; later requests are answered 503, `chat/closing`. Done by itself when the Functions host ends the app. */
  close(): Promise<void>;
};

/**
 * An HTTP handler for Azure Functions that answers a prompt with a reply of the Copilot SDK, as server-sent events or JSON. Make one
 * for the app: its runtime and its tokens are shared by all invocations, start with the first one, and end with the app.
 *
 * @throws KeylessError `chat/invalid-option`. What is wrong with the environment is told by the first request, not when the app loads
 * @example
 * ```ts
 * app.setup({ enableHttpStream: true });
 * const chat = createChatHandler();
 * app.http("chat", { methods: ["POST"], authLevel: "function", handler: chat });
 * app.http("health", { methods: ["GET"], authLevel: "function", handler: createHealthHandler(chat) });
 * ```
 */
export function createChatHandler(options: ChatHandlerOptions = {}): ChatHandler {
  const read = readHandlerOptions(options);
  const { models, limits: given, caller, exposeErrors, ...rest } = read;
  const limits = limitsOf(given, caller !== undefined || signsIn());
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
    // The agent ends a turn in its own time, and says why; this ends what is left.
    deadlineMs: Math.min(callerMs + bodyMs + timeoutMs + stallMs, LONGEST_TIMER_MS),
    isClosed: () => worker.closed,
    expose: exposeErrors ?? process.env.AZURE_FUNCTIONS_ENVIRONMENT === "Development",
  };
  watchConnections();
  const handle = async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
    const connection = connectionOf(context.invocationId);
    let returned = false;
    const { status, headers, body } = await respond(
      {
        method: request.method,
        headers: request.headers,
        body: request.body as ChunkSource | null,
        bodyUsed: request.bodyUsed,
        caller: () => (caller ? callerOf("caller", caller, request, callerMs) : signedIn(request)),
        correlationId: correlationId(request, context),
        // Where the platform does not tell that a caller has left, the end of the stream does.
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

/** Registered with the first request: then the package is loaded, if this is a Functions worker. */
function closeWithApp(close: () => Promise<void>): void {
  import("@azure/functions").then(
    ({ app }) => app.hook.appTerminate(close),
    () => {},
  );
}

/** A line of JSON. After the handler has returned, the Functions library complains of what is logged through the context. */
function write(entry: ChatLogEntry, to: Pick<Console, "info" | "warn" | "error">): void {
  to[entry.level](JSON.stringify(entry));
}

const TRACE_PARENT = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/;

/** The trace that the host, or the caller, has begun, by which Application Insights finds everything; else the invocation. */
function correlationId({ headers }: HttpRequest, { traceContext, invocationId }: InvocationContext): string {
  const given = traceContext?.traceParent ?? headers.get("traceparent") ?? "";
  return TRACE_PARENT.exec(given)?.[1] ?? invocationId;
}

/** Whether App Service authentication is switched on. Where it is not, anybody could send its headers. */
function signsIn(): boolean {
  return process.env.WEBSITE_AUTH_ENABLED?.toLowerCase() === "true";
}

/** The user whom it has signed in; "" for nobody. */
function signedIn({ headers }: HttpRequest): string {
  if (!signsIn()) return "";
  const id = headers.get("x-ms-client-principal-id");
  return id ? JSON.stringify([headers.get("x-ms-client-principal-idp"), id]) : "";
}
