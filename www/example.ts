// The example that greets: one endpoint, a token for it and a request that it refused. It ends with
// the first change that the user makes to one of them, so that the example's token is never
// combined with the user's endpoint.

import { type ErrorDetails, type ResourceErrorCode, resourceError } from "../js/emulator/errors.js";
import { systemClock } from "../js/platform/clock.js";
import { byId } from "./dom.js";
import { isLinked } from "./fragment.js";

/** The managed identity of the example. */
const PRINCIPAL = "d2e8f6a0-91b3-4c6d-b5f7-8e0a4c3d6e32";

interface FailedRequest {
  status: string;
  retry?: string;
  body: string;
}

/** Azure's own answers, with made-up IDs. */
export const FAILED_REQUESTS: Record<string, FailedRequest> = {
  role: refusal("missing-role", { principal: PRINCIPAL }),
  audience: refusal("wrong-audience"),
  firewall: refusal("firewall"),
  quota: { ...refusal("rate-limited", { retryAfterSeconds: 17 }), retry: "17" },
};

function refusal(code: ResourceErrorCode, details?: ErrorDetails): FailedRequest {
  const { status, body } = resourceError(code, details);
  return { status: String(status), body: JSON.stringify(body) };
}

/**
 * Creates a token of a managed identity that is valid for an hour. It is made up and not signed.
 */
export function sampleToken(): string {
  const now = Math.floor(systemClock.now() / 1000);
  const part = (value: object) =>
    btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const tenant = "9f2c7a50-1d3e-4b8a-8c66-0a5b2e7f4d11";
  const claims = {
    aud: "https://ai.azure.com",
    iss: `https://sts.windows.net/${tenant}/`,
    iat: now,
    nbf: now,
    exp: now + 3600,
    idtyp: "app",
    oid: PRINCIPAL,
    appid: "5b1f3d27-6c84-4e09-a7d2-93c0e8f1b645",
    tid: tenant,
    xms_mirid:
      "/subscriptions/0f4e2d6c-8b1a-4937-95d0-c3a7e6b2f814/resourcegroups/shop/providers/Microsoft.Web/sites/shop-assistant",
  };
  return `${part({ typ: "JWT", alg: "RS256", kid: "sample" })}.${part(claims)}.bm90LXNpZ25lZA`;
}

/** The fields that the example fills. */
const FIELDS = ["endpoint-url", "endpoint-model", "token-text", "error-status", "error-body"] as const;

const page = document.documentElement.dataset;

/** Whether the fields hold the example, or what its buttons put there. */
export function isExample(): boolean {
  return page.example !== undefined;
}

/**
 * Fills in the example, unless a link brings an endpoint. Call it before the panels read their
 * fields.
 */
export function startExample(): void {
  if (isLinked("endpoint") || FIELDS.some((id) => field(id).value !== "")) return;
  const { status, body } = FAILED_REQUESTS.role as FailedRequest;
  const values = ["https://myres.openai.azure.com", "gpt-5.5", sampleToken(), status, body];
  for (const [index, id] of FIELDS.entries()) field(id).value = values[index] ?? "";
  page.example = "";
  const inPanels = ({ target }: Event) =>
    target instanceof HTMLElement && target.closest("#endpoint, #token, #error") !== null;
  document.addEventListener("input", (event) => inPanels(event) && endExample(event.target), true);
  // What is pasted replaces the example.
  document.addEventListener(
    "paste",
    ({ target }) => {
      if (isExample() && FIELDS.some((id) => field(id) === target)) (target as HTMLInputElement).select();
    },
    true,
  );
  byId("example-clear", HTMLElement).addEventListener("click", () => {
    endExample();
    // The button is gone now, and the focus with it.
    document.querySelector<HTMLElement>("#tools [aria-selected=true]")?.focus();
  });
}

/**
 * Ends the example: empties its fields, all but those in the panel of the one that the user
 * changes.
 */
export function endExample(changed?: EventTarget | null): void {
  if (!isExample()) return;
  delete page.example;
  const panel = changed instanceof HTMLElement ? changed.closest("section") : null;
  for (const id of FIELDS) {
    if (panel?.contains(field(id))) continue;
    field(id).value = "";
    field(id).dispatchEvent(new Event("input"));
  }
}

function field(id: (typeof FIELDS)[number]): HTMLInputElement | HTMLTextAreaElement {
  return document.getElementById(id) as HTMLInputElement | HTMLTextAreaElement;
}
