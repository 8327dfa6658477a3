import { type ProviderPlan, type ProviderRequest, planProvider } from "copilot-keyless/core";
import { type Snippet, snippets } from "../js/cli/snippets.js";
import { byId, copyable, facts, h, notice } from "./dom.js";
import { errorView, warningsView } from "./explain.js";
import { type Key, link, linked } from "./fragment.js";
import { known, onChange, tell } from "./shared.js";

/** The fields, by the names that a link and the core give them. */
const FIELDS = {
  endpoint: "endpoint-url",
  model: "endpoint-model",
  deployment: "endpoint-deployment",
  type: "endpoint-type",
  wireApi: "endpoint-wire",
  apiVersion: "endpoint-version",
  scope: "endpoint-scope",
} as const satisfies Partial<Record<Key, string>>;

type Field = keyof typeof FIELDS;

const KINDS: Record<ProviderPlan["endpoint"]["kind"], string> = {
  "azure-openai": "Azure OpenAI resource",
  "foundry-account": "Foundry resource",
  "foundry-project": "Foundry project",
  "foundry-anthropic": "Foundry, Anthropic models",
  "ai-services": "Azure AI services resource",
  gateway: "API Management gateway",
  custom: "Host outside of Azure’s domains",
  local: "This machine",
  openai: "OpenAI, not Azure",
};

const CLOUDS = { public: "Azure", usgov: "Azure Government", china: "Azure in China", unknown: undefined };

let chosen = "typescript";

export function endpointPanel(): void {
  const given = linked();
  const names = Object.keys(FIELDS) as Field[];
  // What was typed while the page loaded stays, unless a link says what is to be there.
  const byLink = names.some((name) => given[name]);
  for (const name of names) {
    const field = input(name);
    field.value = given[name] ?? (byLink ? "" : field.value);
    field.addEventListener("input", show);
  }
  const more = (["type", "wireApi", "apiVersion", "scope"] as const).some((name) => given[name]);
  document.querySelector<HTMLDetailsElement>("#endpoint details")?.toggleAttribute("open", more);
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-endpoint]")) {
    button.addEventListener("click", () => useEndpoint({ endpoint: button.dataset.endpoint ?? "" }));
  }
  // The role's command names the token's principal.
  onChange(showCode);
  show();
}

/** Fills in the fields; those that are not named are emptied. */
export function useEndpoint(values: Partial<Record<Field, string>>): void {
  for (const name of Object.keys(FIELDS) as Field[]) input(name).value = values[name] ?? "";
  show();
}

function input(name: Field): HTMLInputElement | HTMLSelectElement {
  const id = FIELDS[name];
  return id === "endpoint-type" || id === "endpoint-wire"
    ? byId(id, HTMLSelectElement)
    : byId(id, HTMLInputElement);
}

function show(): void {
  const request = Object.fromEntries(
    (Object.keys(FIELDS) as Field[]).flatMap((name) => {
      const value = input(name).value;
      return value.trim() === "" ? [] : [[name, value]];
    }),
  ) as ProviderRequest;
  const result = byId("endpoint-result", HTMLElement);
  const field = input("endpoint");
  if (request.endpoint === undefined) {
    tell({ plan: undefined });
    keep(undefined);
    field.removeAttribute("aria-invalid");
    result.replaceChildren(
      h("p", { class: "empty" }, "What it is, which base URL and scope it needs, and the code for it."),
    );
    return;
  }
  try {
    const plan = planProvider(request);
    tell({ plan });
    keep(plan, request);
    field.removeAttribute("aria-invalid");
    result.replaceChildren(...view(plan));
  } catch (error) {
    tell({ plan: undefined });
    keep(undefined);
    field.setAttribute("aria-invalid", "true");
    result.replaceChildren(...errorView(error));
  }
}

/** What a link says of the endpoint: as the core put it right, and only what it accepted. */
function keep(plan: ProviderPlan | undefined, request: ProviderRequest = {}): void {
  const { model, deployment, type, wireApi, apiVersion, scope } = request;
  link(
    plan
      ? { endpoint: plan.endpoint.url, model, deployment, type, wireApi, apiVersion, scope }
      : Object.fromEntries(Object.keys(FIELDS).map((name) => [name, undefined])),
  );
}

function view({ endpoint, config, model, scope, warnings }: ProviderPlan): HTMLElement[] {
  const { kind, cloud, alternateScopes, authorityHost, resource, project } = endpoint;
  return [
    notice("good", kind, h("h3", {}, KINDS[kind])),
    facts([
      ["Base URL", config.baseUrl],
      ["Provider type", config.type],
      ["API format", config.wireApi ?? "Anthropic messages"],
      ["Token scope", scope ?? "none is known: no token is sent unless you name a scope"],
      ["May also accept", alternateScopes.join(", ")],
      ["Cloud", CLOUDS[cloud]],
      ["Signs in at", authorityHost],
      ["Resource", resource],
      ["Project", project],
      ["Model", model],
      ["Deployment", config.wireModel],
      ["API version", config.azure?.apiVersion],
    ]),
    ...warningsView(warnings),
  ];
}

/** The code to copy, one language at a time. */
function showCode(): void {
  const { plan, token } = known();
  const place = byId("endpoint-code", HTMLElement);
  place.hidden = plan === undefined;
  if (plan === undefined) return;
  const all = snippets(plan, token);
  const panel = h("div", { role: "tabpanel", id: "code-panel", "aria-labelledby": `tab-${chosen}` });
  const tabs = all.map((one) =>
    h(
      "button",
      { type: "button", role: "tab", id: `tab-${one.id}`, "aria-controls": "code-panel" },
      one.title,
    ),
  );
  const select = (index: number, focus = false) => {
    const one = all[index] as Snippet;
    chosen = one.id;
    for (const [at, tab] of tabs.entries()) {
      tab.setAttribute("aria-selected", String(at === index));
      tab.tabIndex = at === index ? 0 : -1;
    }
    panel.setAttribute("aria-labelledby", `tab-${one.id}`);
    panel.replaceChildren(copyable(one.code, `the code for ${one.title}`));
    if (focus) tabs[index]?.focus();
  };
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener("click", () => select(index));
    tab.addEventListener("keydown", ({ key }) => {
      const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
      if (step !== 0) select((index + step + all.length) % all.length, true);
    });
  }
  place.replaceChildren(
    h("h3", {}, "To copy"),
    h("div", { role: "tablist", "aria-label": "Language", class: "tabs" }, ...tabs),
    panel,
  );
  select(
    Math.max(
      0,
      all.findIndex(({ id }) => id === chosen),
    ),
  );
}
