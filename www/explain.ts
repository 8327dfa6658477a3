import { type CredentialDiagnosis, type Diagnosis, KeylessError, type Notice } from "copilot-keyless/core";
import { facts, fixes, h, notice } from "./dom.js";

/** Shows a diagnosis: its title, cause and fixes. */
export function diagnosisView(diagnosis: Diagnosis): HTMLElement[] {
  const { code, title, cause, message, retryAfterMs, requestId } = diagnosis;
  const good = code === "ok";
  return [
    notice(good ? "good" : "bad", code, h("h3", {}, title), cause),
    ...(diagnosis.fixes.length > 0 ? [h("h3", {}, "What to do"), fixes(diagnosis.fixes)] : []),
    ...(message ? [h("h3", {}, "The service’s message"), h("blockquote", {}, message)] : []),
    ...(retryAfterMs === undefined
      ? []
      : [h("p", {}, `Retry after ${Math.ceil(retryAfterMs / 1000)} s, says the service.`)]),
    ...(requestId === undefined ? [] : [h("p", { class: "lead" }, `Request ID: ${requestId}`)]),
  ];
}

/** Shows why a credential gave no token, with the credentials that were tried. */
export function credentialView(diagnosis: CredentialDiagnosis): HTMLElement[] {
  const { code, title, cause, links, aadsts } = diagnosis;
  return [
    notice("bad", code, h("h3", {}, title), cause),
    h("h3", {}, "What to do"),
    fixes(diagnosis.fixes),
    ...(links.length > 0
      ? [
          h("h3", {}, "The credentials that were tried"),
          facts(links.map(({ credential, text }) => [credential, text])),
        ]
      : []),
    ...(aadsts.length > 0
      ? [
          h(
            "p",
            { class: "lead" },
            `Entra’s error numbers: ${aadsts.map((number) => `AADSTS${number}`).join(", ")}`,
          ),
        ]
      : []),
  ];
}

/** Shows an error of the library: its code, its message and the next step. */
export function errorView(error: unknown): HTMLElement[] {
  if (!(error instanceof KeylessError)) throw error;
  const hint = error.hint === undefined ? [] : [h("h3", {}, "What to do"), fixes(stepsOf(error.hint))];
  return [notice("bad", error.code, error.message), ...hint];
}

/**
 * Splits a hint into steps. A command belongs to the sentence before it, which ends with a colon.
 */
function stepsOf(hint: string): string[] {
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
