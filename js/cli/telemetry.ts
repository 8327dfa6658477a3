import type { Telemetry } from "copilot-keyless/telemetry";

/**
 * Returns listeners that record with OpenTelemetry, if a program that `node --import` ran before has
 * started its SDK; undefined if its API is not installed.
 */
export async function importTelemetry(): Promise<Telemetry | undefined> {
  try {
    const { createTelemetry } = await import("copilot-keyless/telemetry");
    return createTelemetry();
  } catch {
    return undefined;
  }
}
