import type { SessionEvent } from "@github/copilot-sdk";
import { type MeterProvider, metrics, type TracerProvider, trace } from "@opentelemetry/api";
import type { GatewayAccess } from "../gateway/access-log.js";
import type { ChatLogEntry } from "../http/contract.js";
import { withDeadline } from "../platform/with-deadline.js";
import type { TokenEvent } from "../tokens/types.js";
import { chatListener } from "./chat.js";
import { gatewayListener } from "./gateway.js";
import { modelListener } from "./model.js";
import { tokenListener } from "./token.js";

/** Options of {@link createTelemetry}. */
export interface TelemetryOptions {
  /** Default: the global one, which OpenTelemetry's SDK registers. */
  meterProvider?: MeterProvider | undefined;
  /** Default: the global one. */
  tracerProvider?: TracerProvider | undefined;
}

/** Listeners for the options of this package. Each may be passed on its own, and many times. */
export interface Telemetry {
  /**
   * For `tokens: { onEvent }` of every provider, agent, handler and gateway. Metrics:
   * `copilot_keyless.token.events`, `.refresh.duration` and `.remaining`.
   */
  readonly onTokenEvent: (event: TokenEvent) => void;
  /**
   * For `onAccess` of `createGateway`. Metrics: `http.server.request.duration`,
   * `copilot_keyless.gateway.repeats`, and those of a model's call. Spans: one of the request, and
   * below it one of the model's call, both below the caller's `traceparent`.
   */
  readonly onAccess: (entry: GatewayAccess) => void;
  /** For `onLog` of the chat handlers. Metric: `copilot_keyless.chat.duration`. */
  readonly onLog: (entry: ChatLogEntry) => void;
  /**
   * For `session: { onEvent }` of an agent or a chat handler. Metrics of each model's call:
   * `gen_ai.client.operation.duration`, `.time_to_first_chunk` and `gen_ai.client.token.usage`.
   */
  readonly onSessionEvent: (event: SessionEvent) => void;
  /**
   * Sends what was recorded, if the SDK can: before a program ends by `process.exit`. Never rejects,
   * and waits 5 seconds at most.
   */
  flush(): Promise<void>;
}

/** Providers of the SDK have it; the API's types do not. */
interface Flushes {
  forceFlush?(): Promise<void>;
  /** Of the API's own tracer provider, which stands before the SDK's. */
  getDelegate?(): Flushes;
}

const FLUSH_MS = 5_000;

async function flushAll(...providers: Flushes[]): Promise<void> {
  const flushed = providers.map(async (given) => (given.getDelegate?.() ?? given).forceFlush?.());
  await withDeadline<unknown>(Promise.allSettled(flushed), FLUSH_MS, () => undefined);
}

/**
 * Creates the listeners. Call it after OpenTelemetry's SDK has been started: instruments that were
 * created before record nothing. No prompt, reply, token or key is recorded.
 *
 * @example
 * ```ts
 * const telemetry = createTelemetry();
 * const agent = new FoundryAgent({
 *   tokens: { onEvent: telemetry.onTokenEvent },
 *   session: { onEvent: telemetry.onSessionEvent },
 * });
 * ```
 */
export function createTelemetry({
  meterProvider = metrics.getMeterProvider(),
  tracerProvider = trace.getTracerProvider(),
}: TelemetryOptions = {}): Telemetry {
  const meter = meterProvider.getMeter("copilot-keyless");
  const tracer = tracerProvider.getTracer("copilot-keyless");
  return {
    onTokenEvent: tokenListener(meter),
    onAccess: gatewayListener(meter, tracer),
    onLog: chatListener(meter),
    onSessionEvent: modelListener(meter),
    flush: () => flushAll(meterProvider as Flushes, tracerProvider as Flushes),
  };
}
