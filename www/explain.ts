import { type Diagnosis, KeylessError, type Notice } from "copilot-keyless/core";
import { fixes, h, notice } from "./dom.js";

/** A diagnosis: what it is, why, and what mends it. */
export function diagnosisView(diagnosis: Diagnosis): HTMLElement[] {
  const { code, title, cause, message, retryAfterMs, requestId } = diagnosis;
  const good = code === "ok";
  return [
    notice(good ? "good" : "bad", code, h("h3", {}, title), cause),
    ...(diagnosis.fixes.length > 0 ? [h("h3", {}, "What to do"), fixes(diagnosis.fixes)] : []),
    ...(message ? [h("h3", {}, "In its own words"), h("blockquote", {}, message)] : []),
    ...(retryAfterMs === undefined
      ? []
      : [h("p", {}, `It asks to wait ${Math.ceil(retryAfterMs / 1000)} s.`)]),
    ...(requestId === undefined ? [] : [h("p", { class: "lead" }, `Request ${requestId}`)]),
  ];
}

/** An error of the library: its code, what is wrong, and the next step. */
export function errorView(error: unknown): HTMLElement[] {
  if (!(error instanceof KeylessError)) throw error;
  const hint = error.hint === undefined ? [] : [h("h3", {}, "What to do"), fixes(hinted(error.hint))];
  return [notice("bad", error.code, error.message), ...hint];
}

/** A hint's steps: a line that is a command belongs to the sentence before it. */
function hinted(hint: string): string[] {
  const steps: string[] = [];
  for (const line of hint.split("\n")) {
    const before = steps.at(-1);
    if (before?.endsWith(":")) steps[steps.length - 1] = `${before}\n${line}`;
    else steps.push(line);
  }
  return steps;
}

export function warningsView(warnings: readonly Notice[]): HTMLElement[] {
  return warnings.map(({ code, message }) => notice("warn", code, message));
}
