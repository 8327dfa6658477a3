import type { Channel } from "node:diagnostics_channel";
import type { TokenEvent } from "./types.js";

/**
 * The channel `copilot-keyless:token`, on which every token provider publishes its events.
 * Undefined on platforms without `node:diagnostics_channel`.
 */
const channel: Channel | undefined = globalThis.process
  ?.getBuiltinModule?.("node:diagnostics_channel")
  ?.channel("copilot-keyless:token");

/** Whether the channel has subscribers. */
export function hasSubscribers(): boolean {
  return channel?.hasSubscribers === true;
}

export function publish(event: TokenEvent): void {
  channel?.publish(event);
}
