// What the tests of `npm run live` share.

import type { Emulator } from "copilot-keyless/emulator";
import pc from "picocolors";
// @ts-expect-error It is plain JavaScript.
import * as catalogue from "../live/catalogue.mjs";
// @ts-expect-error It is plain JavaScript.
import { liveEmulated } from "../live/emulated.mjs";
// @ts-expect-error It is plain JavaScript.
import { pageOf, textOf } from "../live/report.mjs";

interface Check {
  name: string;
  claim: string;
  files: string[];
  expected: string;
}

interface Result extends Check {
  verdict: "confirmed" | "differs" | "not tried";
  seen: string;
}

export interface Report {
  results: Result[];
  requests: { resource: number; identity: number };
}

export const CHECKS: Check[] = catalogue.CHECKS;

export const budget: () => { requests: number; outputTokens: number; identityRequests: number } =
  catalogue.budget;

/**
 * Runs the checks, after `prepare`. With the direct credential: MSAL keeps the first emulator's
 * address and tokens for the whole process.
 */
export async function checked(
  prepare: (emulator: Emulator) => unknown = () => {},
  options: { signal?: AbortSignal; settings?: object; onCheck?: (result: Result) => void } = {},
): Promise<Report> {
  return liveEmulated({ signal: new AbortController().signal, credential: "direct", prepare, ...options });
}

export const verdictOf = ({ results }: Report, name: string) =>
  results.find((result) => result.name === name);

/** Returns the results that differ from what was expected. */
export const differing = ({ results }: Report) => results.filter(({ verdict }) => verdict === "differs");

export const page: (report: Report) => string = pageOf;

/** Everything that a run shows or writes. */
export const wholeText = (report: Report): string =>
  [pageOf(report), textOf(report, pc.createColors(false)), JSON.stringify(report)].join("\n");
