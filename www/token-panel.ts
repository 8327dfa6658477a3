import { checkToken, decodeToken, parseTokenResponse, type TokenDescription } from "copilot-keyless/core";
import { systemClock as clock } from "../js/platform/clock.js";
import core from "../js/wasm/modules/core-inline.js";
import explain from "../js/wasm/modules/explain-inline.js";
import { byId, facts, fixes, h, notice } from "./dom.js";
import { sampleToken } from "./example.js";
import { errorView } from "./explain.js";
import { clockDuration } from "./format.js";
import { currentState, onStateChange, setState } from "./state.js";
import { setVerdict } from "./tabs.js";
import { isLoaded, load } from "./wasm-files.js";

const PRINCIPALS: Record<TokenDescription["principal"], string> = {
  "managed-identity": "Managed identity",
  app: "Application",
  user: "User",
  unknown: "Unknown: the token does not name its principal",
};

/** A decoded token, with the expiry that the pasted answer or the token itself states. */
interface Pasted {
  token: string;
  description: TokenDescription;
  expiresOn: number | undefined;
  refreshOn: number | undefined;
}

let pasted: Pasted | undefined;
let timer: unknown;
/** Whether the token was expired when it was last shown. */
let shownExpired = false;

export function tokenPanel(): void {
  field().addEventListener("input", read);
  byId("token-sample", HTMLElement).addEventListener("click", () => useToken(sampleToken()));
  byId("token-clear", HTMLElement).addEventListener("click", () => {
    useToken("");
    field().focus();
  });
  onStateChange(() => pasted && show(pasted));
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
  clock.clearTimeout(timer);
  byId("token-countdown", HTMLElement).hidden = true;
  field().removeAttribute("aria-invalid");
  setVerdict("token");
  // Only JSON needs the module that reads the answers of token endpoints.
  const isJson = /^[[{"]/.test(text);
  const modules = isJson ? [core, explain] : [explain];
  if (text === "" || !modules.every(isLoaded)) {
    setState({ token: undefined });
    const empty =
      "Paste a token to see whose it is, what it is for and when it expires. It is decoded in this page.";
    result.replaceChildren(h("p", { class: "empty" }, text === "" ? empty : "Loading…"));
    if (text !== "")
      void Promise.all(modules.map(load)).then(read, (error) => result.replaceChildren(String(error)));
    return;
  }
  try {
    const response = isJson ? parseTokenResponse(text, { requestedAt: clock.now() }) : undefined;
    const token = (response?.token ?? text).replace(/^bearer\s+/i, "");
    const description = decodeToken(token);
    pasted = {
      token,
      description,
      expiresOn: response?.expiresOnTimestamp ?? description.expiresOn,
      refreshOn: response?.refreshAfterTimestamp,
    };
  } catch (error) {
    setState({ token: undefined });
    field().setAttribute("aria-invalid", "true");
    result.replaceChildren(...errorView(error));
    setVerdict("token", "Not a token", "bad");
    return;
  }
  // This panel listens as well, and shows the token.
  setState({ token: pasted.token });
  tick();
}

function show({ token, description, expiresOn, refreshOn }: Pasted): void {
  const now = clock.now();
  const { format, principal, roles, scopes } = description;
  shownExpired = expiresOn !== undefined && expiresOn <= now;
  const name = description.userName ?? description.appName ?? description.managedIdentity?.split("/").at(-1);
  const who = [PRINCIPALS[principal], name].filter(Boolean).join(": ");
  byId("token-result", HTMLElement).replaceChildren(
    ...verdict(token, format),
    facts([
      ["Principal", format === "opaque" ? undefined : who],
      ["Resource ID", description.managedIdentity],
      ["Object ID", description.objectId],
      ["Application ID", description.appId],
      ["Audience", description.audience],
      ["Tenant", description.tenantId],
      ["Issuer", description.issuer],
      ["Delegated permissions", scopes.join(" ")],
      ["Application permissions", roles.join(" ")],
      ["Issued", date(description.issuedAt)],
      ["Valid from", date(description.notBefore)],
      ["Expires", date(expiresOn)],
      ["Refresh due", date(refreshOn)],
    ]),
  );
}

/** Says whether the endpoint would accept the token, on the panel and on its tab. */
function verdict(token: string, format: TokenDescription["format"]): HTMLElement[] {
  if (format === "opaque") {
    setVerdict("token", "Not a JWT", "warn");
    const hint =
      "It is not a signed JWT. Entra’s access tokens for models are JWTs: check whether this is a key or a refresh token, or whether a part is missing.";
    return [notice("warn", "opaque", h("h3", {}, "The token cannot be decoded"), hint)];
  }
  const { endpoint } = currentState().plan ?? {};
  const problem = checkToken({ token, endpoint, now: clock.now() });
  if (problem) {
    setVerdict("token", problem.code, "bad");
    return [notice("bad", problem.code, h("h3", {}, problem.title), problem.cause), fixes(problem.fixes)];
  }
  if (shownExpired) {
    setVerdict("token", "token-expired", "bad");
    const cause = "The answer that it came in states an earlier expiry than the token.";
    return [notice("bad", "token-expired", h("h3", {}, "The token has expired"), cause)];
  }
  const [code, text] = endpoint?.scope
    ? [
        "fits the endpoint",
        "The token is valid now, and its audience fits the endpoint. Only the resource knows whether its principal has a role.",
      ]
    : ["not expired", "The token is valid now. Fill in the endpoint to check the audience too."];
  setVerdict("token", code[0]?.toUpperCase() + code.slice(1), "good");
  return [notice("good", code, text)];
}

/**
 * Shows the remaining time once a second. It is no live region: screen readers would read it out
 * every second.
 */
function tick(): void {
  if (pasted?.expiresOn === undefined) return;
  const { expiresOn, description } = pasted;
  const now = clock.now();
  const left = expiresOn - now;
  const start = description.notBefore ?? description.issuedAt ?? now;
  const lifetime = Math.max(1, expiresOn - start);
  const place = byId("token-countdown", HTMLElement);
  place.hidden = false;
  place.classList.toggle("expired", left <= 0);
  place.replaceChildren(
    h(
      "p",
      { role: "timer", id: "token-left" },
      left > 0 ? `${clockDuration(left)} left` : `Expired ${clockDuration(-left)} ago`,
    ),
    h("progress", {
      max: 1000,
      value: Math.round(1000 * Math.min(1, Math.max(0, left / lifetime))),
      "aria-label": "Remaining lifetime",
    }),
  );
  if (left <= 0 && !shownExpired) show(pasted);
  // On the second, so that the display skips none.
  timer = clock.setTimeout(tick, 1000 - ((((now - expiresOn) % 1000) + 1000) % 1000) + 1);
}

function date(at: number | undefined): string | undefined {
  return at === undefined
    ? undefined
    : new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}
