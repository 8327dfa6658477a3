import { randomBytes } from "node:crypto";
import { decodeJwt, errors, generateKeyPair, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { KeylessError } from "../errors/keyless-error.js";
import type { EmulatorClock } from "./clock.js";
import { Revocations, type TokenSelection } from "./revocations.js";

/** The fictional tenant and user-assigned identity of all tokens. */
export const PRINCIPAL = {
  tenantId: "3f1c7c2a-5b7e-4f7a-9d55-6a1f0e2b9c10",
  clientId: "b7a9d1e4-0c52-4f7e-8a36-2d9e5f1c7b21",
  principalId: "d2e8f6a0-91b3-4c6d-b5f7-8e0a4c3d6e32",
  resourceId:
    "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/resourcegroups/rg-emulator/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-emulator",
} as const;

/** A request for a token. */
export interface TokenRequest {
  readonly resource: string;
  /** In seconds; negative for an expired token. */
  readonly lifetimeSeconds: number;
  readonly clientId?: string | undefined;
  readonly principalId?: string | undefined;
  readonly resourceId?: string | undefined;
  /** Whether the principal is an application, not a managed identity. */
  readonly application?: boolean;
  /** The claims of a challenge, as JSON text. */
  readonly claims?: string | undefined;
  /** Whether it replaces a token that the caller named as revoked. */
  readonly renewed?: boolean;
}

/** A signed token. `expiresOn` and `notBefore` are whole epoch seconds, as in its claims. */
export interface IssuedToken {
  readonly token: string;
  readonly tokenId: string;
  readonly clientId: string;
  readonly expiresOn: number;
  readonly notBefore: number;
}

/** The claims of a token with a valid signature. Times in epoch milliseconds. */
export interface TokenClaims {
  /** The `uti` claim, unique per token. */
  readonly tokenId: string;
  readonly audience: string;
  readonly clientId: string;
  readonly principalId: string;
  readonly tenantId: string;
  readonly issuedAt: number;
  readonly expiresOn: number;
  /** The claims of the challenge for which it was issued. */
  readonly requestedClaims?: string;
  /** Whether it replaced a revoked token. */
  readonly renewed?: boolean;
}

/** The result of verifying a bearer token. `claims` are present if the signature is valid. */
export interface Verification {
  readonly verdict: "valid" | "invalid" | "expired" | "revoked";
  readonly claims?: TokenClaims;
}

/** Issues, verifies and revokes tokens. */
export interface TokenAuthority {
  issue(request: TokenRequest): Promise<IssuedToken>;
  verify(token: string): Promise<Verification>;
  /** Creates a federated token of another issuer, to exchange for one of these. */
  federate(): Promise<string>;
  /** Revokes the tokens of an identity issued so far. Returns how many were not yet revoked. */
  revokeAll(selection?: TokenSelection): number;
  /** Revokes a token, given by itself or by its `uti`. Returns whether it is one of these. */
  revoke(token: string): boolean;
}

/** Entra backdates `iat` and `nbf` by this time, for hosts whose clock is behind. */
const BACKDATED_SECONDS = 300;
const ISSUER = `https://sts.windows.net/${PRINCIPAL.tenantId}/`;
/** ES256, not Entra's RS256: generating an RSA key takes a tenth of a second or more. */
const ALGORITHM = "ES256";
/** A fictional claim. Entra's tokens contain the requested claims themselves. */
const REQUESTED_CLAIMS = "emulator_requested_claims";
/** The number of bytes of `uti` with the serial number. */
const SERIAL_BYTES = 6;

/** Creates an authority with a new key pair, which only this emulator uses. */
export async function createTokenAuthority(clock: EmulatorClock): Promise<TokenAuthority> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM);
  const kid = randomBytes(16).toString("base64url");
  const revocations = new Revocations();

  async function issue(request: TokenRequest): Promise<IssuedToken> {
    const clientId = request.clientId ?? PRINCIPAL.clientId;
    const oid = request.principalId ?? PRINCIPAL.principalId;
    const tokenId = tokenIdOf(revocations.issued(clientId, oid));
    const now = clock.now() / 1000;
    const notBefore = Math.max(0, Math.floor(now) - BACKDATED_SECONDS);
    // Claims are whole seconds. Rounded up: rounded down, a lifetime of a second could become zero.
    const expiresOn = Math.ceil(now + request.lifetimeSeconds);
    const token = await new SignJWT({
      aud: withoutTrailingSlash(request.resource),
      iss: ISSUER,
      iat: notBefore,
      nbf: notBefore,
      exp: expiresOn,
      appid: clientId,
      appidacr: "2",
      idp: ISSUER,
      idtyp: "app",
      oid,
      sub: oid,
      tid: PRINCIPAL.tenantId,
      uti: tokenId,
      ver: "1.0",
      ...(request.application ? {} : { xms_mirid: request.resourceId ?? PRINCIPAL.resourceId }),
      ...(request.claims === undefined ? {} : { [REQUESTED_CLAIMS]: request.claims }),
      // Entra's claim of a client that handles revocations.
      ...(request.renewed ? { xms_cc: ["cp1"] } : {}),
    })
      .setProtectedHeader({ typ: "JWT", alg: ALGORITHM, kid })
      .sign(privateKey);
    return { token, tokenId, clientId, expiresOn, notBefore };
  }

  async function verify(token: string): Promise<Verification> {
    try {
      const { payload } = await jwtVerify(token, publicKey, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        // Like the resource, jose compares whole seconds and rejects a token from `exp` on.
        currentDate: new Date(clock.now()),
        requiredClaims: ["exp", "aud", "uti"],
      });
      const claims = claimsOf(payload);
      return { verdict: revocations.has(serialOf(claims.tokenId)) ? "revoked" : "valid", claims };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return { verdict: "expired", claims: claimsOf(error.payload) };
      return { verdict: "invalid" };
    }
  }

  function federate(): Promise<string> {
    const now = Math.floor(clock.now() / 1000);
    return new SignJWT({
      iss: "https://cluster.example",
      sub: "system:serviceaccount:default:app",
      aud: "api://AzureADTokenExchange",
      iat: now,
      exp: now + 86_400,
    })
      .setProtectedHeader({ typ: "JWT", alg: ALGORITHM, kid })
      .sign(privateKey);
  }

  return {
    issue,
    verify,
    federate,
    revokeAll: (selection = {}) => revocations.revokeAll(selection),
    revoke: (token) => revocations.revoke(serialOf(uniqueIdOf(token))),
  };
}

/** Removes trailing slashes: Entra's audiences have none, but requested resources often do. */
export function withoutTrailingSlash(resource: string): string {
  return resource.replace(/\/+$/, "");
}

function claimsOf(payload: JWTPayload): TokenClaims {
  return {
    tokenId: String(payload.uti),
    audience: String(payload.aud),
    clientId: String(payload.appid),
    principalId: String(payload.oid),
    tenantId: String(payload.tid),
    issuedAt: (payload.iat ?? 0) * 1000,
    expiresOn: (payload.exp ?? 0) * 1000,
    ...(payload[REQUESTED_CLAIMS] === undefined
      ? {}
      : { requestedClaims: String(payload[REQUESTED_CLAIMS]) }),
    ...(payload.xms_cc === undefined ? {} : { renewed: true }),
  };
}

function tokenIdOf(serial: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(serial, 0, SERIAL_BYTES);
  return bytes.toString("base64url");
}

/** Returns the serial number of a token, or 0 if this is no `uti`. */
function serialOf(tokenId: string): number {
  const bytes = Buffer.from(tokenId, "base64url");
  return bytes.length === 16 ? bytes.readUIntBE(0, SERIAL_BYTES) : 0;
}

/** Returns the `uti` of a token. Other text is one itself. */
function uniqueIdOf(token: string): string {
  if (typeof token !== "string" || token === "") {
    throw new KeylessError("emulator/invalid-option", "The token to revoke must be a non-empty string.");
  }
  if (!token.includes(".")) return token;
  try {
    return String(decodeJwt(token).uti);
  } catch {
    return "";
  }
}
