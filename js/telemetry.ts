/**
 * Metrics and spans by OpenTelemetry: listeners that turn the events of this package into those of
 * the semantic conventions. Needs `@opentelemetry/api`, which nothing else of this package loads.
 *
 * @packageDocumentation
 */

export { createTelemetry, type Telemetry, type TelemetryOptions } from "./telemetry/telemetry.js";
