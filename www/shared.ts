import type { ProviderPlan } from "copilot-keyless/core";

/** What the panels know of each other: the endpoint that was accepted, and the token that was pasted. In memory only. */
export interface Shared {
  plan?: ProviderPlan;
  token?: string;
}

const shared: Shared = {};
const listeners = new Set<() => void>();

export function known(): Readonly<Shared> {
  return shared;
}

export function tell(change: { plan?: ProviderPlan | undefined } | { token?: string | undefined }): void {
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined) delete shared[name as keyof Shared];
    else Object.assign(shared, { [name]: value });
  }
  for (const listener of listeners) listener();
}

/** Calls when an endpoint or a token changes. */
export function onChange(listener: () => void): void {
  listeners.add(listener);
}
