import { diagnose } from "copilot-keyless/core";
import { byId, h } from "./dom.js";
import { FAILED_REQUESTS } from "./example.js";
import { diagnosisView, errorView } from "./explain.js";
import { currentState, onStateChange } from "./state.js";
import { setVerdict } from "./tabs.js";

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
