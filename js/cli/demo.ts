import { createFoundryProvider, KeylessError } from "copilot-keyless";
import type { Emulator } from "copilot-keyless/emulator";
import { type EndpointOptions, providerOptions } from "./options.js";

/** Short, so that a chat of a minute shows a refresh. */
export const DEMO_TOKEN_SECONDS = 60;

/** Starts the emulator for `--demo`, if no endpoint is configured. */
export async function startDemo(
  options: EndpointOptions & { demo?: boolean },
): Promise<Emulator | undefined> {
  if (!options.demo || hasEndpoint(options)) return undefined;
  const { startEmulator } = await import("copilot-keyless/emulator");
  return startEmulator({ tokenLifetimeSeconds: DEMO_TOKEN_SECONDS });
}

/** Whether an endpoint is configured, valid or not. The emulator is used only without one. */
function hasEndpoint(options: EndpointOptions): boolean {
  try {
    createFoundryProvider(providerOptions(options)).close();
    return true;
  } catch (error) {
    return !(
      error instanceof KeylessError &&
      error.code === "endpoint/empty" &&
      options.endpoint === undefined
    );
  }
}
