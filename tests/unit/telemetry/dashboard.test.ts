// Tests that the dashboard asks Prometheus for metrics and labels that are there.

import { readFileSync } from "node:fs";
import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { createTelemetry } from "copilot-keyless/telemetry";
import { expect, test } from "vitest";

class Reader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

/** What Prometheus would scrape after one event of each kind. */
async function scraped(): Promise<string> {
  const reader = new Reader();
  const telemetry = createTelemetry({ meterProvider: new MeterProvider({ readers: [reader] }) });
  const at = Date.now();
  const token = { at, scope: "https://ai.azure.com/.default" };
  telemetry.onTokenEvent({ ...token, type: "refresh-succeeded", expiresOn: at + 60_000, durationMs: 5 });
  const error = { code: "credential/network", message: "", hint: "" } as never;
  telemetry.onTokenEvent({ ...token, type: "refresh-failed", error });
  telemetry.onAccess({
    at,
    method: "POST",
    path: "/openai/v1/responses",
    status: 200,
    code: "model/unknown",
    repeated: true,
    outcome: "answered",
    firstByteMs: 1,
    durationMs: 2,
    requestBytes: 3,
    responseBytes: 4,
    operation: "chat",
    model: "gpt-5.5",
    streamed: true,
    usage: { inputTokens: 1, outputTokens: 2 },
  });
  const log = { level: "warn", message: "", correlationId: "", durationMs: 1, status: 503 } as const;
  telemetry.onLog({ ...log, code: "chat/busy" });
  return new PrometheusSerializer().serialize((await reader.collect()).resourceMetrics);
}

test("every metric and label of the dashboard exists", async () => {
  const { panels } = JSON.parse(readFileSync("examples/telemetry/dashboard.json", "utf8")) as {
    panels: { title: string; targets: { expr: string }[] }[];
  };
  const text = await scraped();
  const exprs = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  const names = new Set(text.match(/[a-z_]+(?=[{=])/g));
  // Collectors add the unit to a name; the exporter for Node does not.
  const patterns = exprs.flatMap((expr) => [...expr.matchAll(/__name__=~"(.*?)"/g)].map(([, name]) => name));
  expect(patterns.length).toBeGreaterThan(5);
  const found = (pattern?: string) => [...names].some((name) => new RegExp(`^${pattern}$`).test(name));
  expect(patterns.filter((pattern) => !found(pattern))).toEqual([]);
  const rest = exprs.map((expr) => expr.replace(/__name__=~".*?"/g, ""));
  const labels = rest.flatMap((expr) => expr.match(/\b(copilot_keyless|gen_ai|http|error)_[a-z_]+/g) ?? []);
  expect(labels.length).toBeGreaterThan(10);
  expect([...new Set(labels)].filter((label) => !names.has(label))).toEqual([]);
});
