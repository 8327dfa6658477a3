import { type ProviderPlan, type ProviderRequest, planProvider } from "copilot-keyless/core";
import { type Snippet, snippets } from "../js/cli/snippets.js";
import explainWasm from "../js/wasm/modules/explain-inline.js";
import { byId, copyable, facts, h, notice } from "./dom.js";
import { isExample } from "./example.js";
import { errorView, warningsView } from "./explain.js";
import { type EndpointKey, isLinked, linkedSettings, linkSettings } from "./fragment.js";
import { currentState, onStateChange, setState } from "./state.js";
import { setVerdict, tabList } from "./tabs.js";
import { isLoaded, load } from "./wasm-files.js";

/** The fields, by the names that a link and the core give them. */
const FIELDS: Record<EndpointKey, string> = {
  endpoint: "endpoint-url",
  model: "endpoint-model",
  deployment: "endpoint-deployment",
  type: "endpoint-type",
  wireApi: "endpoint-wire",
  apiVersion: "endpoint-version",
  scope: "endpoint-scope",
};

const NAMES = Object.keys(FIELDS) as EndpointKey[];

const KINDS: Record<ProviderPlan["endpoint"]["kind"], string> = {
  "azure-openai": "Azure OpenAI resource",
  "foundry-account": "Foundry resource",
  "foundry-project": "Foundry project",
  "foundry-anthropic": "Foundry, Anthropic models",
  "ai-services": "Azure AI services resource",
  gateway: "API Management gateway",
  custom: "Host outside Azure’s domains",
  local: "This machine",
  openai: "OpenAI, not Azure",
};

const CLOUDS = { public: "Azure", usgov: "Azure Government", china: "Azure in China", unknown: undefined };

let language = "typescript";

export function endpointPanel(): void {
  const linked = linkedSettings();
  // What was typed while the page loaded stays, unless a link describes an endpoint.
  const replace = isLinked("endpoint");
  for (const name of NAMES) {
    const field = input(name);
    if (replace) field.value = linked[name] ?? "";
    field.addEventListener("input", show);
  }
  const more = (["type", "wireApi", "apiVersion", "scope"] as const).some((name) => linked[name]);
  document.querySelector("#endpoint details")?.toggleAttribute("open", more);
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-endpoint]")) {
    button.addEventListener("click", () => useEndpoint({ endpoint: button.dataset.endpoint ?? "" }));
  }
  // The command that assigns a role names the token's principal.
  onStateChange(showCode);
  if (isExample()) explain();
  else show();
}

/** Fills in the fields, and empties those that are not named. */
export function useEndpoint(values: Partial<Record<EndpointKey, string>>): void {
  for (const name of NAMES) input(name).value = values[name] ?? "";
  show();
}

function input(name: EndpointKey): HTMLInputElement | HTMLSelectElement {
  return document.getElementById(FIELDS[name]) as HTMLInputElement | HTMLSelectElement;
}

/**
 * Explains the endpoint, and writes it into the link: normalised, and only if the core accepted it.
 */
function show(): void {
  const request = explain();
  const { plan } = currentState();
  const settings = plan && { ...request, endpoint: plan.endpoint.url };
  linkSettings(Object.fromEntries(NAMES.map((name) => [name, settings?.[name]])));
}

function refuse(error: unknown): void {
  input("endpoint").setAttribute("aria-invalid", "true");
  byId("endpoint-result", HTMLElement).replaceChildren(...errorView(error));
  setVerdict("endpoint", "Rejected", "bad");
}

function explain(): ProviderRequest {
  const request: ProviderRequest = Object.fromEntries(
    NAMES.map((name) => [name, input(name).value]).filter(([, value]) => value?.trim() !== ""),
  );
  const result = byId("endpoint-result", HTMLElement);
  const field = input("endpoint");
  let plan: ProviderPlan | undefined;
  field.removeAttribute("aria-invalid");
  setVerdict("endpoint");
  if (request.endpoint === undefined) {
    const empty = "Paste an endpoint to see its kind, base URL and token scope, and the code for it.";
    result.replaceChildren(h("p", { class: "empty" }, empty));
  } else {
    try {
      plan = planProvider(request);
      result.replaceChildren(...view(plan));
      setVerdict("endpoint", KINDS[plan.endpoint.kind], plan.warnings.length > 0 ? "warn" : "good");
    } catch (error) {
      // The texts of errors are in a module that an endpoint which is right does not need.
      if (isLoaded(explainWasm)) refuse(error);
      else {
        result.replaceChildren(h("p", { class: "empty" }, "Loading…"));
        void load(explainWasm).then(show, () => refuse(error));
      }
    }
  }
  setState({ plan });
  return request;
}

function view({ endpoint, config, model, scope, warnings }: ProviderPlan): HTMLElement[] {
  const { kind, cloud, alternateScopes, authorityHost, resource, project } = endpoint;
  return [
    notice("good", kind, h("h3", {}, KINDS[kind])),
    facts([
      ["Base URL", config.baseUrl],
      ["Provider type", config.type],
      ["API format", config.wireApi ?? "Anthropic messages"],
      ["Token scope", scope ?? "unknown: no token is sent unless you name a scope"],
      ["May also accept", alternateScopes.join(", ")],
      ["Cloud", CLOUDS[cloud]],
      ["Authority", authorityHost],
      ["Resource", resource],
      ["Project", project],
      ["Model", model],
      ["Deployment", config.wireModel],
      ["API version", config.azure?.apiVersion],
    ]),
    ...warningsView(warnings),
  ];
}

/** Shows the code for the endpoint, one language at a time. */
function showCode(): void {
  const { plan, token } = currentState();
  const place = byId("endpoint-code", HTMLElement);
  place.hidden = plan === undefined;
  if (plan === undefined) return;
  // The module knows the role that the endpoint needs.
  if (!isLoaded(explainWasm)) {
    place.hidden = true;
    void load(explainWasm).then(showCode, () => {});
    return;
  }
  const all = snippets(plan, token);
  const panel = h("div", { role: "tabpanel", id: "code-panel" });
  const tabs = all.map(({ id, title }) =>
    h("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": "code-panel" }, title),
  );
  const select = tabList(tabs, (index) => {
    const { id, title, code } = all[index] as Snippet;
    language = id;
    panel.setAttribute("aria-labelledby", `tab-${id}`);
    panel.replaceChildren(copyable(code, `the code for ${title}`));
  });
  place.replaceChildren(
    h("h3", {}, "Code for this endpoint"),
    h("div", { role: "tablist", "aria-label": "Language", class: "languages" }, ...tabs),
    panel,
  );
  select(all.findIndex(({ id }) => id === language));
}
