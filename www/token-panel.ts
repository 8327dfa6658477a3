import { checkToken, decodeToken, parseTokenResponse, type TokenDescription } from "copilot-keyless/core";
import type { Clock } from "../js/platform/clock.js";
import { systemClock } from "../js/platform/clock.js";
import { byId, facts, fixes, h, notice } from "./dom.js";
import { errorView } from "./explain.js";
import { known, onChange, tell } from "./shared.js";

const PRINCIPALS: Record<TokenDescription["principal"], string> = {
  "managed-identity": "Managed identity",
  app: "Application",
  user: "User",
  unknown: "Somebody; the token does not say who",
};

/** What was pasted: a token and when it ends, as far as can be told. */
interface Pasted {
  token: string;
  description: TokenDescription;
  expiresOn: number | undefined;
  refreshOn: number | undefined;
}

let clock: Clock = systemClock;
let pasted: Pasted | undefined;
let ticking: unknown;
/** Whether it had ended when it was last looked at. */
let ended = false;

export function tokenPanel(ofPage: Clock): void {
  clock = ofPage;
  const text = field();
  text.addEventListener("input", read);
  byId("token-sample", HTMLElement).addEventListener("click", () => useToken(sample()));
  byId("token-clear", HTMLElement).addEventListener("click", () => {
    useToken("");
    text.focus();
  });
  onChange(() => pasted && show(pasted));
  read();
}

/** Fills in the field. */
export function useToken(text: string): void {
  field().value = text;
  read();
}

function field(): HTMLTextAreaElement {
  return byId("token-text", HTMLTextAreaElement);
}

function read(): void {
  const text = field().value.trim();
  const result = byId("token-result", HTMLElement);
  pasted = undefined;
  clock.clearTimeout(ticking);
  byId("token-countdown", HTMLElement).hidden = true;
  field().removeAttribute("aria-invalid");
  if (text === "") {
    tell({ token: undefined });
    result.replaceChildren(
      h(
        "p",
        { class: "empty" },
        "Whose token it is, for what, and for how much longer. It is decoded here and goes nowhere.",
      ),
    );
    return;
  }
  try {
    const response = /^[[{"]/.test(text) ? parseTokenResponse(text, { requestedAt: clock.now() }) : undefined;
    const token = (response?.token ?? text).replace(/^bearer\s+/i, "");
    const description = decodeToken(token);
    pasted = {
      token,
      description,
      expiresOn: response?.expiresOnTimestamp ?? description.expiresOn,
      refreshOn: response?.refreshAfterTimestamp,
    };
  } catch (error) {
    tell({ token: undefined });
    field().setAttribute("aria-invalid", "true");
    result.replaceChildren(...errorView(error));
    return;
  }
  // Shows it as well: whoever listens to tokens is told.
  tell({ token: pasted.token });
  tick();
}

function show({ token, description, expiresOn, refreshOn }: Pasted): void {
  const now = clock.now();
  const { endpoint } = known().plan ?? {};
  const { format, principal, roles, scopes } = description;
  const wrong = checkToken({ token, endpoint, now });
  ended = expiresOn !== undefined && expiresOn <= now;
  const name = description.userName ?? description.appName;
  const identity = description.managedIdentity?.split("/").at(-1);
  const remarks: HTMLElement[] = [];
  if (format === "opaque") {
    remarks.push(
      notice(
        "warn",
        "opaque",
        h("h3", {}, "It cannot be decoded"),
        "It is no signed JWT, so it says nothing about itself. Entra’s access tokens for models are JWTs: look whether this is a key, a refresh token, or cut off.",
      ),
    );
  } else if (wrong) {
    remarks.push(notice("bad", wrong.code, h("h3", {}, wrong.title), wrong.cause), fixes(wrong.fixes));
  } else if (ended) {
    remarks.push(
      notice("bad", "token-expired", h("h3", {}, "The token has expired"), "By the answer that it came in."),
    );
  } else {
    remarks.push(
      notice(
        "good",
        endpoint?.scope ? "fits the endpoint" : "not expired",
        endpoint?.scope
          ? "Its times and its audience are right for the endpoint above. Whether a role is assigned only the resource knows."
          : "Its times are right. Give the endpoint above to see whether the audience fits.",
      ),
    );
  }
  byId("token-result", HTMLElement).replaceChildren(
    ...remarks,
    facts([
      [
        "Who",
        format === "opaque"
          ? undefined
          : [PRINCIPALS[principal], name ?? identity].filter(Boolean).join(": "),
      ],
      ["Resource id", description.managedIdentity],
      ["Object id", description.objectId],
      ["Application id", description.appId],
      ["Audience", description.audience],
      ["Tenant", description.tenantId],
      ["Issuer", description.issuer],
      ["Delegated permissions", scopes.join(" ")],
      ["Application permissions", roles.join(" ")],
      ["Issued", date(description.issuedAt)],
      ["Valid from", date(description.notBefore)],
      ["Expires", date(expiresOn)],
      ["To be refreshed from", date(refreshOn)],
    ]),
  );
}

/** The countdown, once a second. It is no live region: nobody wants to be told every second. */
function tick(): void {
  if (pasted?.expiresOn === undefined) return;
  const { expiresOn, description } = pasted;
  const now = clock.now();
  const left = expiresOn - now;
  const begun = description.notBefore ?? description.issuedAt ?? now;
  const life = Math.max(1, expiresOn - begun);
  const place = byId("token-countdown", HTMLElement);
  place.hidden = false;
  place.classList.toggle("over", left <= 0);
  place.replaceChildren(
    h(
      "p",
      { role: "timer", id: "token-left" },
      left > 0 ? `${span(left)} left` : `Expired ${span(-left)} ago`,
    ),
    h("progress", {
      max: 1000,
      value: Math.round(1000 * Math.min(1, Math.max(0, left / life))),
      "aria-label": "What is left of its life",
    }),
  );
  if (left <= 0 && !ended) show(pasted);
  // On the second, so that none is skipped.
  ticking = clock.setTimeout(tick, 1000 - ((((now - expiresOn) % 1000) + 1000) % 1000) + 1);
}

/** A length of time down to the second. */
export function span(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const days = Math.floor(seconds / 86_400);
  const clockwise = `${Math.floor(seconds / 3600) % 24}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days > 0 ? `${days} d ${clockwise}` : clockwise;
}

function date(at: number | undefined): string | undefined {
  return at === undefined
    ? undefined
    : new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** A made-up token of a managed identity, not signed, for an hour from now. */
function sample(): string {
  const now = Math.floor(clock.now() / 1000);
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
    oid: "d2e8f6a0-91b3-4c6d-b5f7-8e0a4c3d6e32",
    appid: "5b1f3d27-6c84-4e09-a7d2-93c0e8f1b645",
    tid: tenant,
    xms_mirid:
      "/subscriptions/0f4e2d6c-8b1a-4937-95d0-c3a7e6b2f814/resourcegroups/shop/providers/Microsoft.Web/sites/shop-assistant",
  };
  return `${part({ typ: "JWT", alg: "RS256", kid: "sample" })}.${part(claims)}.bm90LXNpZ25lZA`;
}
