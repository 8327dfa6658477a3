import { type CredentialDiagnosis, diagnose, diagnoseCredential } from "copilot-keyless/core";
import explain from "../js/wasm/modules/explain-inline.js";
import { byId, h } from "./dom.js";
import { FAILED_REQUESTS } from "./example.js";
import { credentialView, diagnosisView, errorView } from "./explain.js";
import { currentState, onStateChange } from "./state.js";
import { setVerdict } from "./tabs.js";
import { isLoaded, load } from "./wasm-files.js";

const status = () => byId("error-status", HTMLInputElement);
const retryAfter = () => byId("error-retry", HTMLInputElement);
const body = () => byId("error-body", HTMLTextAreaElement);

export function errorPanel(): void {
  for (const field of [status(), retryAfter(), body()]) field.addEventListener("input", show);
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-failure]")) {
    button.addEventListener("click", () => {
      const request = FAILED_REQUESTS[button.dataset.failure ?? ""];
      status().value = request?.status ?? "";
      retryAfter().value = request?.retry ?? "";
      body().value = request?.body ?? "";
      show();
    });
  }
  onStateChange(show);
  show();
}

function show(): void {
  const given = status().value.trim();
  const result = byId("error-result", HTMLElement);
  status().removeAttribute("aria-invalid");
  if (given === "" && body().value.trim() === "") {
    const empty = "Paste a failed request’s answer to see why it was refused, and the command that fixes it.";
    result.replaceChildren(h("p", { class: "empty" }, empty));
    setVerdict("error");
    return;
  }
  if (!isLoaded(explain)) {
    result.replaceChildren(h("p", { class: "empty" }, "Loading…"));
    void load(explain).then(show, (error) => result.replaceChildren(String(error)));
    return;
  }
  const credential = credentialFailure(given, body().value);
  if (credential) {
    result.replaceChildren(...credentialView(credential));
    setVerdict("error", credential.code, "bad");
    return;
  }
  const { plan, token } = currentState();
  try {
    const diagnosis = diagnose({
      status: given === "" ? Number.NaN : Number(given),
      body: body().value,
      headers: retryAfter().value.trim() === "" ? {} : { "retry-after": retryAfter().value.trim() },
      token,
      endpoint: plan?.endpoint,
      deployment: plan?.config.wireModel ?? plan?.model,
      wireApi: plan?.config.wireApi,
    });
    result.replaceChildren(...diagnosisView(diagnosis));
    setVerdict("error", diagnosis.code, diagnosis.code === "ok" ? "good" : "bad");
  } catch (error) {
    status().setAttribute("aria-invalid", "true");
    result.replaceChildren(...errorView(error));
    setVerdict("error", "Invalid", "bad");
  }
}

/**
 * Returns the diagnosis of a failure to get a token: an error with Entra's numbers or of a chain of
 * credentials, or any known one without a status.
 */
function credentialFailure(given: string, text: string): CredentialDiagnosis | undefined {
  const found = diagnoseCredential({
    body: text,
    env: {},
    ...(/^\d{3}$/.test(given) ? { status: Number(given) } : {}),
  });
  const isOne =
    found.aadsts.length > 0 ||
    found.links.length > 0 ||
    (given === "" && (found.credential !== undefined || found.code === "not-signed-in"));
  return isOne ? found : undefined;
}
