import {
  type Check,
  type Checks,
  checkArgument,
  either,
  finite,
  flag,
  number,
  object,
  readOptions,
  text,
  token as tokenCheck,
} from "./errors/check.js";
import { modelChecks } from "./foundry/option-checks.js";
import type { ProviderPlan, ProviderRequest } from "./foundry/plan.js";
import { diagnosed, plainFailure } from "./model/diagnosed.js";
import { tokenOf } from "./tokens/text.js";
import type {
  AccessToken,
  Challenge,
  Diagnosis,
  Endpoint,
  FailedRequest,
  RoleAssignment,
  TokenDescription,
} from "./types.js";
import { core, decide, planner } from "./wasm/bindings.js";

export { KeylessError } from "./errors/keyless-error.js";
export type { ModelOptions, PlannedConfig, ProviderPlan, ProviderRequest } from "./foundry/plan.js";
export { type RefreshScenario, type RefreshTimeline, simulateRefresh } from "./tokens/simulate.js";
export type {
  AccessToken,
  Challenge,
  CredentialPlan,
  Diagnosis,
  Endpoint,
  FailedRequest,
  Notice,
  RoleAssignment,
  TokenDescription,
} from "./types.js";

/**
 * Finds out what an endpoint is: which base URL, provider type and token scope it needs. Repairs what is certain, with a
 * warning, and refuses the rest with a {@link KeylessError} whose `hint` says what to give instead.
 *
 * @param url the address, as text or as a `URL`
 * @throws KeylessError `endpoint/...`, `provider/scope`, `provider/conflict`
 * @example
 * ```ts
 * parseEndpoint("myres.openai.azure.com").baseUrl; // "https://myres.openai.azure.com/openai/v1/"
 * ```
 */
export function parseEndpoint(url: string | URL, options?: EndpointOptions): Endpoint {
  checkArgument("url", url, either(text, isUrl), "endpoint/not-a-url");
  const read = readOptions(
    options,
    { type: modelChecks().type, apiVersion: text, scope: text },
    "provider/conflict",
  );
  return decide(() => planner().parseEndpoint(String(url), read));
}

/**
 * The provider that the Copilot SDK needs for an endpoint, without a credential: what `createFoundryProvider` makes of the same
 * options. Reads no environment but `env`.
 *
 * @throws KeylessError `endpoint/...`, `provider/...`, `credential/configuration`
 * @example
 * ```ts
 * const { config, model, scope } = planProvider({ endpoint: "myres.openai.azure.com", model: "gpt-5.5" });
 * config; // { type: "openai", wireApi: "responses", baseUrl: "https://myres.openai.azure.com/openai/v1/" }
 * ```
 */
export function planProvider(options: ProviderRequest): ProviderPlan {
  const read = readOptions(options, providerChecks(), "provider/conflict");
  return decide(() => planner().planProvider(read));
}

/**
 * Reads the answer of a token endpoint (Entra v2, IMDS, App Service), of `az account get-access-token` or `azd auth token`,
 * or an `AccessToken`. The earliest of several expiries wins.
 *
 * @param response the JSON, as text or as an object
 * @param at `requestedAt`: when the request was started, epoch ms. `utcOffsetMinutes`: the offset, east of UTC, of local times
 * that name none (az before 2.54), NaN if it is not known; default: this machine's time zone.
 * @throws KeylessError `expiry/...`
 * @example
 * ```ts
 * const token = parseTokenResponse(await response.text(), { requestedAt });
 * token.expiresOnTimestamp; // epoch ms
 * ```
 */
export function parseTokenResponse(
  response: string | object,
  at: { requestedAt: number; utcOffsetMinutes?: number },
): AccessToken {
  checkArgument("response", response, either(text, object), "expiry/not-json");
  const { requestedAt, utcOffsetMinutes } = readOptions(
    at,
    { requestedAt: finite, utcOffsetMinutes: number },
    "expiry/missing",
  );
  checkArgument("requestedAt", requestedAt, finite, "expiry/missing");
  const zone = utcOffsetMinutes === undefined ? localOffset : () => utcOffsetMinutes;
  return decide(() =>
    typeof response === "string"
      ? core().parseTokenResponseText(response, requestedAt, zone)
      : core().parseTokenResponseObject(response, requestedAt, zone),
  );
}

/**
 * What a token says about itself: audience, tenant, principal, lifetime. Best effort and never a gate: a token that cannot be
 * decoded is `opaque`. The signature is not checked.
 *
 * @example
 * ```ts
 * const { audience, principal, expiresOn } = decodeToken(await provider());
 * ```
 */
export function decodeToken(token: string | AccessToken): TokenDescription {
  checkArgument("token", token, tokenCheck, "token/malformed");
  return decide(() => planner().decodeToken(tokenOf(token) ?? ""));
}

/**
 * What a `WWW-Authenticate` header asks for: of its `Bearer` challenges the first one with claims, else the first. What cannot be
 * read is left out.
 *
 * @example
 * ```ts
 * const { claims } = parseChallenge(response.headers.get("www-authenticate"));
 * if (claims) token = await tokens.getToken({ claims, rejectedToken: token });
 * ```
 */
export function parseChallenge(wwwAuthenticate: string | null | undefined): Challenge {
  checkArgument("wwwAuthenticate", wwwAuthenticate ?? "", text, "diagnosis/invalid");
  return decide(() => planner().parseChallenge(wwwAuthenticate ?? ""));
}

/**
 * Why a request to a model failed, in Azure's terms, and what mends it: from the status, the body, the headers, and the claims
 * of the token that was sent. Neither the token nor a secret appears in the result.
 *
 * @throws KeylessError `diagnosis/invalid` when `status` is no HTTP status
 * @example
 * ```ts
 * const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
 * const { status, headers } = response;
 * const { code, cause, fixes } = diagnose({ endpoint: url, status, headers, body: await response.text(), token });
 * // "missing-role", "The managed identity ... has no role ...", ["Assign the role ...\naz role assignment create ..."]
 * ```
 */
export function diagnose(failure: FailedRequest): Diagnosis {
  return diagnosed(failure, (plan, plain) => plan.diagnose(plain));
}

/**
 * What is wrong with a token by its own claims, before it is sent anywhere: expired, not valid yet, or for another audience than
 * the endpoint's. Undefined where nothing is known to be wrong; the resource may still refuse it.
 *
 * @example
 * ```ts
 * checkToken({ endpoint: "myres.openai.azure.com", token })?.code; // "wrong-audience"
 * ```
 */
export function checkToken(
  attempt: Pick<FailedRequest, "endpoint" | "now"> & { token: string | AccessToken },
): Diagnosis | undefined {
  return decide(() => planner().checkToken(plainFailure(attempt, ["endpoint", "now", "token"])));
}

/**
 * The role that the principal of a token needs at an endpoint, and the command that assigns it.
 *
 * @example
 * ```ts
 * roleAssignment({ endpoint: "myres.openai.azure.com" }).role; // "Cognitive Services OpenAI User"
 * ```
 */
export function roleAssignment(attempt: Pick<FailedRequest, "endpoint" | "token">): RoleAssignment {
  return decide(() => planner().roleAssignment(plainFailure(attempt, ["endpoint", "token"])));
}

/** Which endpoint it is, where its address does not tell. */
export interface EndpointOptions {
  type?: "openai" | "azure" | "anthropic" | undefined;
  apiVersion?: string | undefined;
  scope?: string | undefined;
}

function providerChecks(): Checks<ProviderRequest> {
  return {
    ...modelChecks(),
    endpoint: text,
    scope: text,
    maxPromptTokens: number,
    maxOutputTokens: number,
    ownCredential: flag,
    env: object,
  };
}

const isUrl: Check = { expected: "a URL", fits: (value) => value instanceof URL };

/** This machine's offset from UTC, in minutes east, at a local time given as if it were UTC. */
function localOffset(localMs: number): number {
  const as = new Date(localMs);
  const local = new Date(
    as.getUTCFullYear(),
    as.getUTCMonth(),
    as.getUTCDate(),
    as.getUTCHours(),
    as.getUTCMinutes(),
    as.getUTCSeconds(),
  );
  return -local.getTimezoneOffset();
}
