import type { Attributes, Meter } from "@opentelemetry/api";
import { systemClock } from "../platform/clock.js";
import type { TokenEvent } from "../tokens/types.js";
import { SECONDS } from "./buckets.js";

/** Records the life of tokens. */
export function tokenListener(meter: Meter): (event: TokenEvent) => void {
  /** The newest expiry of each scope, in epoch milliseconds. */
  const expiries = new Map<string, number>();
  const events = meter.createCounter("copilot_keyless.token.events", {
    description: "Changes of tokens, by type: refresh-failed, stale-served, invalidated and so on",
    unit: "{event}",
  });
  const duration = meter.createHistogram("copilot_keyless.token.refresh.duration", {
    description: "How long a successful refresh took, with its repeated attempts",
    unit: "s",
    advice: { explicitBucketBoundaries: SECONDS },
  });
  meter
    .createObservableGauge("copilot_keyless.token.remaining", {
      description: "Time until the newest token of a scope expires; negative afterwards",
      unit: "s",
    })
    .addCallback((result) => {
      for (const [scope, expiresOn] of expiries)
        result.observe((expiresOn - systemClock.now()) / 1_000, { "copilot_keyless.scope": scope });
    });
  return (event) => {
    const attributes: Attributes = { "copilot_keyless.scope": event.scope };
    if (event.type === "refresh-succeeded") {
      expiries.set(event.scope, event.expiresOn);
      duration.record(event.durationMs / 1_000, attributes);
    } else if (event.type === "closed") expiries.delete(event.scope);
    const error = "error" in event ? { "error.type": event.error.code } : {};
    events.add(1, { ...attributes, "copilot_keyless.event": event.type, ...error });
  };
}
