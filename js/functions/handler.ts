import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import { readServiceOptions } from "../chat/options.js";
import { ChatService, type CloseOptions } from "../chat/service.js";
import type { ChatStatus } from "../chat/worker.js";
import { callback } from "../errors/check.js";
import { callerOf } from "../http/caller.js";
import type { ChatLogEntry, ChunkSource } from "../http/contract.js";
import { withDeadline } from "../platform/with-deadline.js";
import { connectionOf, trackConnections } from "./connection.js";
import type { ChatHandlerOptions } from "./options.js";

/** A handler for `app.http`, with the state of its worker. */
export type ChatHandler = HttpHandler & {
  /** Reports the state of the worker, without a token. Sends no request and starts nothing. */
  status(): ChatStatus;
  /**
   * Answers new requests 503 `chat/closing`, lets running turns end within `drainMs` (default
   * 5,000 ms), and then ends the runtime and the tokens. The Functions host does this when it stops
   * the app.
   */
  close(options?: CloseOptions): Promise<void>;
};

/**
 * Creates an HTTP handler for Azure Functions that answers a prompt with a reply of the Copilot
 * SDK, as server-sent events or JSON. Create one per app: all invocations share its runtime and its
 * tokens, which start with the first invocation, or with `warmUp`, and end with the app.
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
  const { caller, ...read } = readServiceOptions(options, { caller: callback });
  const service = new ChatService(read, {
    identified: caller !== undefined || isSignInEnabled(),
    expose: process.env.AZURE_FUNCTIONS_ENVIRONMENT === "Development",
    onStart: () => closeWithApp(() => service.close()),
  });
  const { callerMs, stallMs } = service.limits;
  trackConnections();
  if (options.warmUp) prepareWithApp(withDeadline(service.prepared, WARM_UP_MS, () => {}));
  const handle = async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
    const connection = connectionOf(context.invocationId);
    let returned = false;
    const { status, headers, body } = await service.respond({
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
    });
    returned = true;
    return { status, headers, body: body as NonNullable<HttpResponseInit["body"]> };
  };
  return Object.assign(handle, {
    status: () => service.status(),
    close: (how?: CloseOptions) => service.close(how),
  });
}

/**
 * Closes the worker when the host stops the app. Called when the runtime starts: by then a Functions worker
 * has loaded the package.
 */
function closeWithApp(close: () => Promise<void>): void {
  import("@azure/functions").then(
    ({ app }) => app.hook.appTerminate(close),
    () => {},
  );
}

/** How long the host waits for a handler that warms up, in milliseconds. */
const WARM_UP_MS = 5_000;

/**
 * Makes the host wait when it starts the app, right after it has loaded it: `import()` would be too
 * late. Where the package is not found, as in a bundle, the first request waits instead.
 */
function prepareWithApp(prepared: Promise<void>): void {
  try {
    const { createRequire } = process.getBuiltinModule("node:module");
    const { app } = createRequire(import.meta.url)("@azure/functions") as typeof import("@azure/functions");
    app.hook.appStart(() => prepared);
  } catch {}
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
