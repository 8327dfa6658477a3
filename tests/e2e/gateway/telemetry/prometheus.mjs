// What a user's `--import` does: starts OpenTelemetry's SDK, with metrics for Prometheus.

import { metrics } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";

const port = Number(process.env.OTEL_EXPORTER_PROMETHEUS_PORT);
const reader = new PrometheusExporter({ host: "127.0.0.1", port });
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
