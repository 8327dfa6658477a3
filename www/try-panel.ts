import { KeylessError, type ProviderPlan } from "copilot-keyless/core";
import { byId, h, notice } from "./dom.js";
import { useEndpoint } from "./endpoint-panel.js";
import { errorView } from "./explain.js";
import { known, onChange } from "./shared.js";
import { useToken } from "./token-panel.js";

/** Hosts that are not Azure's, where a token goes only after a second look: a link may have brought the endpoint. */
const STRANGE: ReadonlySet<ProviderPlan["endpoint"]["kind"]> = new Set(["gateway", "custom", "openai"]);

let running: AbortController | undefined;
/** The host that was agreed to. */
let agreed: string | undefined;

export function tryPanel(): void {
  // `npm run www` says in the page that an emulator runs beside it.
  const beside = document.querySelector<HTMLMetaElement>('meta[name="keyless-emulator"]')?.content;
  if (beside) {
    byId("try-emulator-line", HTMLElement).hidden = false;
    byId("try-emulator", HTMLElement).addEventListener("click", () => void fromEmulator(beside));
  }
  byId("try-send", HTMLElement).addEventListener("click", () => void send());
  byId("try-stop", HTMLElement).addEventListener("click", () => running?.abort());
  byId("try-consent", HTMLInputElement).addEventListener("change", ({ target }) => {
    agreed = (target as HTMLInputElement).checked ? host() : undefined;
  });
  onChange(target);
  target();
}

function host(): string | undefined {
  const url = known().plan?.endpoint.baseUrl;
  return url === undefined ? undefined : new URL(url).host;
}

/** Says where the prompt and the token would go. */
function target(): void {
  const { plan, token } = known();
  const consent = byId("try-consent", HTMLInputElement);
  byId("try-consent-line", HTMLElement).hidden = !(plan && token && STRANGE.has(plan.endpoint.kind));
  consent.checked = agreed !== undefined && agreed === host();
  byId("try-target", HTMLElement).replaceChildren(
    ...(plan
      ? [
          "To ",
          h("strong", {}, host() ?? ""),
          `, model ${plan.config.wireModel ?? plan.model}, `,
          token ? "with the token above." : "without a token: paste one above.",
        ]
      : ["Give an endpoint above first."]),
  );
}

async function fromEmulator(address: string): Promise<void> {
  const { endpoint, model, scope, token } = await (await fetch(address)).json();
  useEndpoint({ endpoint, model, scope });
  useToken(JSON.stringify(token));
}

async function send(): Promise<void> {
  const { plan, token } = known();
  const result = byId("try-result", HTMLElement);
  const answer = byId("try-answer", HTMLElement);
  const button = byId("try-send", HTMLButtonElement);
  const stop = byId("try-stop", HTMLElement);
  if (running) return;
  if (plan === undefined) {
    result.replaceChildren(
      notice("warn", "no endpoint", "Give an endpoint in the first panel, or use the emulator."),
    );
    return;
  }
  if (token && STRANGE.has(plan.endpoint.kind) && agreed !== host()) {
    result.replaceChildren(
      notice(
        "warn",
        "unknown host",
        `${host()} is not one of Azure’s. Say above that you know it, since it will see your token.`,
      ),
    );
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
    const [{ streamChat }, { load }, { default: net }] = await Promise.all([
      import("copilot-keyless/direct"),
      import("./modules.js"),
      import("../js/wasm/modules/net-inline.js"),
    ]);
    await load(net);
    const { endpoint, model, config } = plan;
    const { wireApi, wireModel } = config;
    const prompt = byId("try-prompt", HTMLTextAreaElement).value;
    const chat = {
      endpoint,
      model,
      deployment: wireModel,
      wireApi,
      token,
      prompt,
      signal: controller.signal,
    };
    for await (const text of streamChat(chat)) {
      answer.hidden = false;
      answer.append(text);
    }
    result.replaceChildren(notice("good", "ok", "The model has finished."));
  } catch (error) {
    result.replaceChildren(...failure(error, controller.signal));
  } finally {
    running = undefined;
    button.removeAttribute("aria-disabled");
    stop.hidden = true;
  }
}

function failure(error: unknown, signal: AbortSignal): HTMLElement[] {
  if (signal.aborted) return [notice("warn", "stopped", "You stopped it. What came until then is above.")];
  const shown = errorView(error);
  if (error instanceof KeylessError && error.code === "model/network") {
    shown.push(
      notice(
        "info",
        "cors",
        "A page may read the answer of another host only where that allows it (CORS), and Azure’s model endpoints allow no page. The same request works from a server or a command line:",
      ),
      h("p", {}, h("code", {}, "npx copilot-keyless doctor")),
    );
  }
  return shown;
}
