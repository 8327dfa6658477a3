import type { Meter } from "@opentelemetry/api";
import type { ChatLogEntry } from "../http/contract.js";
import { SECONDS } from "./buckets.js";

/** Records the requests of a chat handler. */
export function chatListener(meter: Meter): (entry: ChatLogEntry) => void {
  const duration = meter.createHistogram("copilot_keyless.chat.duration", {
    description: "How long a request to the chat handler took, to the last byte of its reply",
    unit: "s",
    advice: { explicitBucketBoundaries: SECONDS },
  });
  return ({ status, code, durationMs }) =>
    duration.record(durationMs / 1_000, {
      "http.response.status_code": status,
      ...(code === undefined ? {} : { "error.type": code }),
    });
}
