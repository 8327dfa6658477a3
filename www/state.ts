import type { ProviderPlan } from "copilot-keyless/core";

/**
 * The accepted endpoint and the decoded token, which the panels share. They live in memory only.
 */
export interface State {
  plan: ProviderPlan | undefined;
  token: string | undefined;
}

const state: State = { plan: undefined, token: undefined };
const listeners = new Set<() => void>();

export function currentState(): Readonly<State> {
  return state;
}

/** Changes the state, and calls every listener. */
export function setState(change: Partial<State>): void {
  Object.assign(state, change);
  for (const listener of listeners) listener();
}

/** Calls a listener after each change of the endpoint or the token. */
export function onStateChange(listener: () => void): void {
  listeners.add(listener);
}
