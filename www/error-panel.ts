import { diagnose } from "copilot-keyless/core";
import { byId, h } from "./dom.js";
import { diagnosisView, errorView } from "./explain.js";
import { known, onChange } from "./shared.js";

/** Azure's own answers, with made-up ids. */
const EXAMPLES: Record<string, { status: string; retry?: string; body: string }> = {
  role: {
    status: "401",
    body: '{"error":{"code":"PermissionDenied","message":"The principal `d2e8f6a0-91b3-4c6d-b5f7-8e0a4c3d6e32` lacks the required data action `Microsoft.CognitiveServices/accounts/OpenAI/responses/write` to perform `POST /openai/v1/responses` operation."}}',
  },
  audience: {
    status: "401",
    body: '{"statusCode":401,"message":"Unauthorized. Access token is missing, invalid, audience is incorrect (https://ai.azure.com), or have expired."}',
  },
  firewall: {
    status: "403",
    body: '{"error":{"code":"403","message":"Access denied due to Virtual Network/Firewall rules."}}',
  },
  quota: {
    status: "429",
    retry: "17",
    body: '{"error":{"code":"429","message":"Requests have exceeded the token rate limit of your deployment. Please retry after 17 seconds."}}',
  },
};

export function errorPanel(): void {
  for (const element of [status(), retry(), body()]) element.addEventListener("input", show);
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-example]")) {
    button.addEventListener("click", () => {
      const example = EXAMPLES[button.dataset.example ?? ""];
      status().value = example?.status ?? "";
      retry().value = example?.retry ?? "";
      body().value = example?.body ?? "";
      show();
    });
  }
  onChange(show);
  show();
}

const status = () => byId("error-status", HTMLInputElement);
const retry = () => byId("error-retry", HTMLInputElement);
const body = () => byId("error-body", HTMLTextAreaElement);

function show(): void {
  const given = status().value.trim();
  const result = byId("error-result", HTMLElement);
  status().removeAttribute("aria-invalid");
  if (given === "" && body().value.trim() === "") {
    result.replaceChildren(h("p", { class: "empty" }, "Why it was refused, and the command that mends it."));
    return;
  }
  const { plan, token } = known();
  try {
    const diagnosis = diagnose({
      status: given === "" ? Number.NaN : Number(given),
      body: body().value,
      headers: retry().value.trim() === "" ? {} : { "retry-after": retry().value.trim() },
      token,
      endpoint: plan?.endpoint,
      deployment: plan?.config.wireModel ?? plan?.model,
      wireApi: plan?.config.wireApi,
    });
    result.replaceChildren(...diagnosisView(diagnosis));
  } catch (error) {
    status().setAttribute("aria-invalid", "true");
    result.replaceChildren(...errorView(error));
  }
}
