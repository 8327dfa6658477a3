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
import { callCore, coreModule, planModule } from "../wasm/bindings.js";
import type { AccessToken, Challenge, TokenDescription } from "../wasm/token.js";
import { tokenOf } from "./text.js";

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
  return callCore(() =>
    typeof response === "string"
      ? coreModule().parseTokenResponseText(response, requestedAt, zone)
      : coreModule().parseTokenResponseObject(response, requestedAt, zone),
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
  return callCore(() => planModule().decodeToken(tokenOf(token) ?? ""));
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
  return callCore(() => planModule().parseChallenge(wwwAuthenticate ?? ""));
}

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
