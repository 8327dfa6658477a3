// OpenTelemetry's SDK, which keeps what it would export.

import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { createTelemetry } from "copilot-keyless/telemetry";

/** A metric's point: its attributes, and its sum, or count and sum of a histogram. */
type Point = [attributes: object, value: unknown];

/** Listeners, and what they recorded. */
export function recorded() {
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 2 ** 30 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  return {
    telemetry: createTelemetry({ meterProvider, tracerProvider }),
    spans: () => spans.getFinishedSpans(),
    /** The points of all metrics, by name. */
    async metrics(): Promise<Record<string, Point[]>> {
      metrics.reset();
      await meterProvider.forceFlush();
      const all = metrics
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((one) => one.metrics));
      return Object.fromEntries(
        all.map(({ descriptor, dataPoints }) => [
          descriptor.name,
          dataPoints.map(({ attributes, value }): Point => {
            if (typeof value === "number") return [attributes, value];
            return [attributes, { count: value.count, sum: (value as { sum?: number }).sum }];
          }),
        ]),
      );
    },
  };
}
