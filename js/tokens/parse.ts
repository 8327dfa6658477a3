import {
  checkArgument,
  either,
  finite,
  number,
  object,
  readOptions,
  text,
  token as tokenCheck,
} from "../errors/check.js";
import { callCore, coreModule } from "../wasm/bindings.js";
import { explainModule } from "../wasm/explain-bindings.js";
import type { AccessToken, Challenge, TokenDescription } from "../wasm/types/token.js";
import { tokenOf } from "./clean-token.js";

/**
 * Parses the response of a token endpoint (Entra, IMDS, App Service), the output of
 * `az account get-access-token`, `azd auth token` or `Get-AzAccessToken | ConvertTo-Json`, an
 * `AccessToken`, or a result of ADAL. Ignores text around the JSON, such as warnings. One expiry
 * that can be read is enough. If there are several, the earliest counts that is later than the
 * request, by at most 48 hours.
 *
 * @param response the JSON, as text or as an object
 * @param at `requestedAt`: the time at which the request was sent, in epoch milliseconds.
 *   `utcOffsetMinutes`: the offset, in minutes east of UTC, of local times without one (az before
 *   2.54); NaN if it is unknown. Default: this machine's time zone.
 * @throws KeylessError `expiry/...`; `token/malformed`: a header cannot carry the token
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
  return callCore(() =>
    typeof response === "string"
      ? coreModule().parseTokenResponseText(response, requestedAt, zone)
      : coreModule().parseTokenResponseObject(response, requestedAt, zone),
  );
}

/**
 * Decodes a token: its audience, tenant, principal and lifetime. Does not check the signature, so
 * use the result to inform, never to authorize. A token that cannot be decoded is `opaque`.
 *
 * @example
 * ```ts
 * const { audience, principal, expiresOn } = decodeToken(await provider());
 * ```
 */
export function decodeToken(token: string | AccessToken): TokenDescription {
  checkArgument("token", token, tokenCheck, "token/malformed");
  return callCore(() => explainModule().decodeToken(tokenOf(token) ?? ""));
}

/**
 * Parses a `WWW-Authenticate` header. Returns the first `Bearer` challenge with claims, or else the
 * first one. Omits what it cannot parse.
 *
 * @example
 * ```ts
 * const { claims } = parseChallenge(response.headers.get("www-authenticate"));
 * if (claims) token = await tokens.getToken({ claims, rejectedToken: token });
 * ```
 */
export function parseChallenge(wwwAuthenticate: string | null | undefined): Challenge {
  checkArgument("wwwAuthenticate", wwwAuthenticate ?? "", text, "diagnosis/invalid");
  return callCore(() => explainModule().parseChallenge(wwwAuthenticate ?? ""));
}

/**
 * Returns this machine's offset in minutes east of UTC, at a local time that is given as if it were
 * UTC.
 */
function localOffset(localMs: number): number {
  const fields = new Date(localMs);
  const local = new Date(
    fields.getUTCFullYear(),
    fields.getUTCMonth(),
    fields.getUTCDate(),
    fields.getUTCHours(),
    fields.getUTCMinutes(),
    fields.getUTCSeconds(),
  );
  return -local.getTimezoneOffset();
}
