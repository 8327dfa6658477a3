import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { ChatLogEntry, ChunkSource } from "../chat/contract.js";
import { respond } from "../chat/respond.js";
import { Slots } from "../chat/slots.js";
import { connectionOf, watchConnections } from "./connection.js";
import { type ChatHandlerOptions, checkDurable, checkedModels, limitsOf } from "./options.js";
import { type ChatStatus, ChatWorker } from "./worker.js";

/** A handler for `app.http`, and the worker behind it. */
export type ChatHandler = HttpHandler & {
  /** Where the worker stands, without a token. Starts no runtime and asks for no token. */
  status(): ChatStatus;
  /** Ends it all. Done by itself when the Functions host ends the app. */
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
  const { models, limits: given, caller = signedIn, exposeErrors, ...rest } = options;
  const limits = limitsOf(given);
  checkDurable(options.durable);
  const worker = new ChatWorker(rest, checkedModels(models), limits, () => {
    closeWithApp(() => worker.close());
  });
  const settings = {
    engine: worker.answer.bind(worker),
    limits,
    slots: new Slots(limits.turns),
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
        caller: () => caller(request),
        correlationId: correlationId(request, context),
        signal: connection?.signal ?? NEVER,
        ready: connection && (() => connection.ready(limits.stallMs)),
        log: (entry) => write(entry, returned ? console : context),
      },
      settings,
    );
    returned = true;
    return { status, headers, body: body as NonNullable<HttpResponseInit["body"]> };
  };
  return Object.assign(handle, { status: () => worker.status(), close: () => worker.close() });
}

/** Where the platform does not tell that a caller has left; the end of the stream does. */
const NEVER = new AbortController().signal;

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

/** The user of App Service authentication. Where that is switched off, anybody could send the headers. */
function signedIn({ headers }: HttpRequest): string {
  if (process.env.WEBSITE_AUTH_ENABLED?.toLowerCase() !== "true") return "";
  const id = headers.get("x-ms-client-principal-id");
  return id ? JSON.stringify([headers.get("x-ms-client-principal-idp"), id]) : "";
}
