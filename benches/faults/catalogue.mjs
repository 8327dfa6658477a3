// All faults, and which of them a question is about.

import { CLOCK } from "./clock.mjs";
import { IDENTITY } from "./identity.mjs";
import { PROCESS } from "./process.mjs";
import { RESOURCE } from "./resource.mjs";

export const GROUPS = ["identity", "resource", "clock", "process"];

export const FAULTS = [...IDENTITY, ...RESOURCE, ...CLOCK, ...PROCESS];

/** Some of each group that take little time. */
const QUICK = new Set([
  "identity-400",
  "identity-reset",
  "identity-not-json",
  "resource-401-once",
  "resource-403",
  "resource-cut-stream",
  "clock-forward",
  "suspend",
  "no-home",
  "ctrl-c",
  "runtime-killed",
]);

/** The faults of that name or group. Undefined for a name that is none. */
export function named(name) {
  const found = FAULTS.filter(({ id, group }) => id === name || group === name);
  return found.length > 0 ? found : undefined;
}

export function quick() {
  return FAULTS.filter(({ id }) => QUICK.has(id));
}
