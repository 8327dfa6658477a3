import { KeylessError, type ProviderPlan } from "copilot-keyless/core";
import explain from "../js/wasm/modules/explain-inline.js";
import net from "../js/wasm/modules/net-inline.js";
import { byId, h, notice } from "./dom.js";
import { useEndpoint } from "./endpoint-panel.js";
import { endExample, isExample } from "./example.js";
import { errorView } from "./explain.js";
import { currentState, onStateChange } from "./state.js";
import { useToken } from "./token-panel.js";
import { load } from "./wasm-files.js";

/**
 * Endpoints outside Azure. A link may bring one, so the user confirms the host before it gets a
 * token.
 */
const NEEDS_CONSENT: ReadonlySet<ProviderPlan["endpoint"]["kind"]> = new Set(["gateway", "custom", "openai"]);

let running: AbortController | undefined;
/** The host that the user confirmed. */
let confirmed: string | undefined;

export function tryPanel(): void {
  // `npm run www` names its emulator in the page.
  const emulator = document.querySelector<HTMLMetaElement>('meta[name="keyless-emulator"]')?.content;
  if (emulator) {
    byId("try-emulator-line", HTMLElement).hidden = false;
    byId("try-emulator", HTMLElement).addEventListener("click", () => void useEmulator(emulator));
  }
  byId("try-send", HTMLElement).addEventListener("click", () => void send());
  byId("try-stop", HTMLElement).addEventListener("click", () => running?.abort());
  byId("try-consent", HTMLInputElement).addEventListener("change", ({ target }) => {
    confirmed = (target as HTMLInputElement).checked ? host() : undefined;
  });
  onStateChange(showTarget);
  showTarget();
}

function host(): string | undefined {
  const url = currentState().plan?.endpoint.baseUrl;
  return url === undefined ? undefined : new URL(url).host;
}

function needsConsent(): boolean {
  const { plan, token } = currentState();
  return plan !== undefined && token !== undefined && NEEDS_CONSENT.has(plan.endpoint.kind);
}

/** Says where the prompt and the token would go. */
function showTarget(): void {
  const { plan, token } = currentState();
  byId("try-consent-line", HTMLElement).hidden = !needsConsent();
  byId("try-consent", HTMLInputElement).checked = confirmed !== undefined && confirmed === host();
  const target = plan
    ? [
        "To ",
        h("strong", {}, host() ?? ""),
        `, model ${plan.config.wireModel ?? plan.model}, `,
        token ? "with the token of the Token tab." : "without a token: fill in the Token tab.",
      ]
    : ["Fill in the Endpoint tab first."];
  byId("try-target", HTMLElement).replaceChildren(...target);
}

async function useEmulator(address: string): Promise<void> {
  const { endpoint, model, scope, token } = await (await fetch(address)).json();
  endExample();
  useEndpoint({ endpoint, model, scope });
  useToken(JSON.stringify(token));
}

/** The reason not to send. */
function refusal(): HTMLElement | undefined {
  if (currentState().plan === undefined)
    return notice("warn", "no endpoint", "Fill in the Endpoint tab, or use the emulator.");
  if (isExample())
    return notice(
      "info",
      "example",
      "The endpoint is an example, so nothing was sent. Fill in the Endpoint and Token tabs, or use the emulator.",
    );
  if (needsConsent() && confirmed !== host())
    return notice(
      "warn",
      "unknown host",
      `${host()} is not one of Azure’s hosts, and it would receive your token. Confirm the host first.`,
    );
  return undefined;
}

async function send(): Promise<void> {
  const { plan, token } = currentState();
  const result = byId("try-result", HTMLElement);
  const answer = byId("try-answer", HTMLElement);
  const button = byId("try-send", HTMLButtonElement);
  const stop = byId("try-stop", HTMLElement);
  if (running) return;
  const reason = refusal();
  if (reason || plan === undefined) {
    result.replaceChildren(...(reason ? [reason] : []));
    return;
  }
  const controller = new AbortController();
  running = controller;
  button.setAttribute("aria-disabled", "true");
  stop.hidden = false;
  answer.hidden = true;
  answer.textContent = "";
  result.replaceChildren(h("p", { class: "empty" }, "Waiting for the answer…"));
  try {
    const [{ streamChat }] = await Promise.all([import("copilot-keyless/direct"), load(net), load(explain)]);
    const { endpoint, model, config } = plan;
    const { wireApi, wireModel: deployment } = config;
    const prompt = byId("try-prompt", HTMLTextAreaElement).value;
    const { signal } = controller;
    for await (const text of streamChat({ endpoint, model, deployment, wireApi, token, prompt, signal })) {
      answer.hidden = false;
      answer.append(text);
    }
    result.replaceChildren(notice("good", "complete", "The answer is complete."));
  } catch (error) {
    result.replaceChildren(...failureView(error, controller.signal));
  } finally {
    running = undefined;
    button.removeAttribute("aria-disabled");
    stop.hidden = true;
  }
}

function failureView(error: unknown, signal: AbortSignal): HTMLElement[] {
  if (signal.aborted) return [notice("warn", "stopped", "You stopped the answer. Its first part is above.")];
  const views = errorView(error);
  if (error instanceof KeylessError && error.code === "model/network") {
    const cause =
      "A page may read another host’s answer only if that host allows it (CORS). Azure’s model endpoints allow no page. The same request works from a server or a terminal:";
    views.push(notice("info", "cors", cause, h("p", {}, h("code", {}, "npx copilot-keyless doctor"))));
  }
  return views;
}
