import type { Channel } from "node:diagnostics_channel";
import type { TokenEvent } from "./types.js";

/**
 * The channel `copilot-keyless:token`, on which every event of every token provider is published. Platforms without
 * `node:diagnostics_channel` have none.
 */
const channel: Channel | undefined = globalThis.process
  ?.getBuiltinModule?.("node:diagnostics_channel")
  ?.channel("copilot-keyless:token");

/** Whether anybody listens on the channel. */
export function isObserved(): boolean {
  return channel?.hasSubscribers === true;
}

export function publish(event: TokenEvent): void {
  channel?.publish(event);
}
