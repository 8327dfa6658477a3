import type { SessionEvent } from "@github/copilot-sdk";
import type { Attributes, Meter } from "@opentelemetry/api";
import { SECONDS, TOKENS } from "./buckets.js";

/** A call of a model. Times are in milliseconds. */
export interface ModelCall {
  attributes: Attributes;
  durationMs?: number | undefined;
  firstChunkMs?: number | undefined;
  inputTokens?: number | undefined;
  outputTokens?: number | undefined;
}

/** Creates the instruments of the generative AI conventions. */
export function modelInstruments(meter: Meter): (call: ModelCall) => void {
  const seconds = { unit: "s", advice: { explicitBucketBoundaries: SECONDS } };
  const duration = meter.createHistogram("gen_ai.client.operation.duration", {
    description: "How long a call of a model took",
    ...seconds,
  });
  const firstChunk = meter.createHistogram("gen_ai.client.operation.time_to_first_chunk", {
    description: "How long the first chunk of a stream took",
    ...seconds,
  });
  const usage = meter.createHistogram("gen_ai.client.token.usage", {
    description: "Input and output tokens of a call of a model",
    unit: "{token}",
    advice: { explicitBucketBoundaries: TOKENS },
  });
  return ({ attributes, durationMs, firstChunkMs, inputTokens, outputTokens }) => {
    if (durationMs !== undefined) duration.record(durationMs / 1_000, attributes);
    if (firstChunkMs !== undefined) firstChunk.record(firstChunkMs / 1_000, attributes);
    if (inputTokens !== undefined) usage.record(inputTokens, { ...attributes, "gen_ai.token.type": "input" });
    if (outputTokens !== undefined)
      usage.record(outputTokens, { ...attributes, "gen_ai.token.type": "output" });
  };
}

/** Records the calls of models that a Copilot session makes. */
export function modelListener(meter: Meter): (event: SessionEvent) => void {
  const record = modelInstruments(meter);
  return (event) => {
    if (event.type !== "assistant.usage") return;
    const { model, duration, timeToFirstTokenMs, inputTokens, outputTokens, apiEndpoint } = event.data;
    record({
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": apiEndpoint === "/v1/messages" ? "anthropic" : "azure.ai.openai",
        "gen_ai.request.model": model,
      },
      durationMs: duration,
      firstChunkMs: timeToFirstTokenMs,
      inputTokens,
      outputTokens,
    });
  };
}
