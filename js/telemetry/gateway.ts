import {
  type Attributes,
  type Context,
  type Meter,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { GatewayAccess } from "../gateway/access-log.js";
import { SECONDS } from "./buckets.js";
import { modelInstruments } from "./model.js";

/** Records the requests of a gateway. */
export function gatewayListener(meter: Meter, tracer: Tracer): (entry: GatewayAccess) => void {
  const duration = meter.createHistogram("http.server.request.duration", {
    description: "How long a request to the gateway took, to the last byte of its answer",
    unit: "s",
    advice: { explicitBucketBoundaries: SECONDS },
  });
  const repeats = meter.createCounter("copilot_keyless.gateway.repeats", {
    description: "Requests that were sent again, because of their token or a closed connection",
    unit: "{request}",
  });
  const recordCall = modelInstruments(meter);
  return (entry) => {
    const { at, status, repeated, durationMs, firstByteMs, streamed, usage } = entry;
    const request = requestAttributes(entry);
    duration.record(durationMs / 1_000, request);
    if (repeated) repeats.add(1);
    const call = callAttributes(entry);
    if (call)
      recordCall({
        attributes: call,
        durationMs,
        firstChunkMs: streamed ? firstByteMs : undefined,
        inputTokens: usage?.inputTokens,
        // No tokens are put out for an embedding.
        outputTokens: usage?.outputTokens || undefined,
      });

    const times = { startTime: at, end: at + durationMs };
    const server = tracer.startSpan(
      `${entry.method} ${entry.operation ?? "gateway"}`,
      {
        kind: SpanKind.SERVER,
        startTime: times.startTime,
        attributes: { ...request, "url.path": entry.path, "http.response.body.size": entry.responseBytes },
      },
      callerOf(entry.traceparent),
    );
    if (call) {
      const client = tracer.startSpan(
        `${entry.operation} ${entry.model ?? ""}`.trim(),
        {
          kind: SpanKind.CLIENT,
          startTime: times.startTime,
          attributes: {
            ...call,
            ...(usage && {
              "gen_ai.usage.input_tokens": usage.inputTokens,
              "gen_ai.usage.output_tokens": usage.outputTokens,
            }),
          },
        },
        trace.setSpan(ROOT_CONTEXT, server),
      );
      if (call["error.type"] !== undefined) client.setStatus({ code: SpanStatusCode.ERROR });
      client.end(times.end);
    }
    // Of a server's span, a fault of the client is no error.
    if (status >= 500 || entry.outcome === "upstream-broke") server.setStatus({ code: SpanStatusCode.ERROR });
    server.end(times.end);
  };
}

/** What went wrong: our code, how the answer ended, or the resource's status. */
function errorOf({ code, outcome, status }: GatewayAccess): Attributes {
  const type = code ?? (outcome !== "answered" ? outcome : status >= 400 ? `${status}` : undefined);
  return type === undefined ? {} : { "error.type": type };
}

function requestAttributes(entry: GatewayAccess): Attributes {
  const { status } = entry;
  return {
    "http.request.method": METHODS.has(entry.method) ? entry.method : "_OTHER",
    "url.scheme": "http",
    ...(status > 0 ? { "http.response.status_code": status } : {}),
    ...errorOf(entry),
  };
}

/** The methods that the conventions know: any other one could be a new value each time. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"]);

/** The attributes of a model's call; undefined for requests that no model answers. */
function callAttributes(entry: GatewayAccess): Attributes | undefined {
  const { operation, path, model } = entry;
  if (operation === undefined) return undefined;
  return {
    "gen_ai.operation.name": operation,
    "gen_ai.provider.name": /\/messages$/.test(path) ? "anthropic" : "azure.ai.openai",
    ...(model === undefined ? {} : { "gen_ai.request.model": model }),
    ...errorOf(entry),
  };
}

/** The caller's span, if it told one. The gateway has checked the form. */
function callerOf(traceparent = ""): Context {
  const [, traceId, spanId, flags] = traceparent.split("-");
  if (!traceId || !spanId || !flags) return ROOT_CONTEXT;
  const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, span);
}
