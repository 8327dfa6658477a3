import type { ErrorCode } from "../errors/codes.js";
import { systemClock } from "../platform/clock.js";

/** An entry of the access log. Holds no query, body, key or token, and no header but `traceparent`. */
export interface GatewayAccess {
  /** When the request arrived, in epoch milliseconds. */
  at: number;
  method: string;
  /** The path that the client asked for. */
  path: string;
  /** The status that the client received; 0 if it left before. */
  status: number;
  /** The code of the error that the gateway sent. */
  code?: ErrorCode;
  /** Whether the request was sent twice, because of its token or a closed connection. */
  repeated: boolean;
  /** `client-left` and `upstream-broke`: the answer is incomplete. */
  outcome: "answered" | "client-left" | "upstream-broke";
  /** The backend that was asked last, where there are several. */
  backend?: string;
  /** The backends that were asked before it, and the status of each; 0 if it did not answer. */
  failed?: readonly { backend: string; status: number }[];
  /** Milliseconds until the first byte of the answer; undefined if there was none. */
  firstByteMs?: number;
  /** Milliseconds until the end. */
  durationMs: number;
  requestBytes: number;
  responseBytes: number;
  /** What was asked of a model; undefined for lists, files and other objects. */
  operation?: "chat" | "text_completion" | "embeddings" | undefined;
  /** The model that the request names, if its body begins with it, uncompressed. */
  model?: string | undefined;
  /** Whether the answer was a stream of events. */
  streamed?: boolean;
  /** The tokens that the answer says it used. Unknown if it was compressed or is incomplete. */
  usage?: { inputTokens: number; outputTokens: number } | undefined;
  /** The caller's span, if its header of W3C Trace Context is a valid one; it is passed on as it is. */
  traceparent?: string;
}

/** W3C Trace Context, version 00; later versions begin alike. */
const TRACE_PARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** Begins the entry of a request that has just arrived. */
export function beginEntry(
  { method, path, traceparent }: { method: string; path: string; traceparent: unknown },
  key: string,
): GatewayAccess {
  const entry: GatewayAccess = {
    at: systemClock.now(),
    method,
    path: path.replaceAll(key, "[redacted]"),
    status: 0,
    repeated: false,
    outcome: "answered",
    durationMs: 0,
    requestBytes: 0,
    responseBytes: 0,
  };
  // A header that is none could be anything, also a key.
  if (typeof traceparent === "string" && TRACE_PARENT.test(traceparent)) entry.traceparent = traceparent;
  return entry;
}
