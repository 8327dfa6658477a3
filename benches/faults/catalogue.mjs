// Lists all faults, and a quick selection.

import { CLOCK } from "./clock.mjs";
import { IDENTITY } from "./identity.mjs";
import { PROCESS } from "./process.mjs";
import { RESOURCE } from "./resource.mjs";

export const GROUPS = ["identity", "resource", "clock", "process"];

export const FAULTS = [...IDENTITY, ...RESOURCE, ...CLOCK, ...PROCESS];

/** Some faults of each group that take little time. */
export const QUICK = [
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
];
