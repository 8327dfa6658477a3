import { randomBytes } from "node:crypto";
import { errors, generateKeyPair, type JWTPayload, jwtVerify, SignJWT } from "jose";
import type { EmulatorClock } from "./clock.js";

/** The made-up tenant and user-assigned identity of every token. */
export const PRINCIPAL = {
  tenantId: "3f1c7c2a-5b7e-4f7a-9d55-6a1f0e2b9c10",
  clientId: "b7a9d1e4-0c52-4f7e-8a36-2d9e5f1c7b21",
  principalId: "d2e8f6a0-91b3-4c6d-b5f7-8e0a4c3d6e32",
  resourceId:
    "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/resourcegroups/rg-emulator/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-emulator",
} as const;

/** What a token was asked for. */
export interface TokenRequest {
  readonly resource: string;
  /** Seconds; negative for a token that is born dead. */
  readonly lifetimeSeconds: number;
  readonly clientId?: string | undefined;
  readonly principalId?: string | undefined;
  readonly resourceId?: string | undefined;
  /** Whether an application asks in its own name, not a managed identity. */
  readonly application?: boolean;
  /** JSON text of a claims challenge. */
  readonly claims?: string | undefined;
}

/** A signed token. `expiresOn` and `notBefore` are whole epoch seconds, as in its claims. */
export interface IssuedToken {
  readonly token: string;
  readonly tokenId: string;
  readonly clientId: string;
  readonly expiresOn: number;
  readonly notBefore: number;
}

/** Claims of a token whose signature was good. Times in epoch milliseconds. */
export interface TokenClaims {
  /** The `uti` claim: different for every token. */
  readonly tokenId: string;
  readonly audience: string;
  readonly clientId: string;
  readonly principalId: string;
  readonly tenantId: string;
  readonly issuedAt: number;
  readonly expiresOn: number;
  /** The claims of a challenge that it was issued with. */
  readonly requestedClaims?: string;
}

/** What the resource finds when it looks at a bearer token. `claims` are there whenever the signature was good. */
export interface Verification {
  readonly verdict: "valid" | "invalid" | "expired" | "revoked";
  readonly claims?: TokenClaims;
}

/** Signs, verifies and revokes. */
export interface TokenAuthority {
  issue(request: TokenRequest): Promise<IssuedToken>;
  verify(token: string): Promise<Verification>;
  /** A token of another issuer, to be exchanged for one of these. */
  federate(): Promise<string>;
  /** Rejects everything issued so far; returns how many tokens that newly concerns. */
  revokeAll(): number;
}

/** Entra sets `iat` and `nbf` back by this much, for hosts whose clock is behind. */
const BACKDATED_SECONDS = 300;
const ISSUER = `https://sts.windows.net/${PRINCIPAL.tenantId}/`;
/** ES256, not Entra's RS256: an RSA key would cost every start of the emulator a tenth of a second or more. */
const ALGORITHM = "ES256";
/** Made up: in a token of Entra's the claims themselves tell. */
const REQUESTED_CLAIMS = "emulator_requested_claims";
/** Bytes of `uti` that hold the serial number. */
const SERIAL_BYTES = 6;

/** Makes a key pair; nothing about it outlives the emulator. */
export async function createTokenAuthority(clock: EmulatorClock): Promise<TokenAuthority> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM);
  const kid = randomBytes(16).toString("base64url");
  let issued = 0;
  // Tokens are numbered, and the number is part of `uti`, so that revoking all of them takes one number to remember.
  let revokedUpTo = 0;

  async function issue(request: TokenRequest): Promise<IssuedToken> {
    issued += 1;
    const tokenId = tokenIdOf(issued);
    const now = clock.now() / 1000;
    const notBefore = Math.max(0, Math.floor(now) - BACKDATED_SECONDS);
    // Claims are whole seconds. Rounded up, a token lives at least as long as asked; down, one second could be none.
    const expiresOn = Math.ceil(now + request.lifetimeSeconds);
    const clientId = request.clientId ?? PRINCIPAL.clientId;
    const oid = request.principalId ?? PRINCIPAL.principalId;
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
        // jose compares whole seconds and rejects from `exp` on, which is what the resource does.
        currentDate: new Date(clock.now()),
        requiredClaims: ["exp", "aud", "uti"],
      });
      const claims = claimsOf(payload);
      return { verdict: serialOf(claims.tokenId) <= revokedUpTo ? "revoked" : "valid", claims };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return { verdict: "expired", claims: claimsOf(error.payload) };
      return { verdict: "invalid" };
    }
  }

  function revokeAll(): number {
    const count = issued - revokedUpTo;
    revokedUpTo = issued;
    return count;
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

  return { issue, verify, federate, revokeAll };
}

/** Entra's audiences come without the slash that resources are often asked with. */
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
  };
}

function tokenIdOf(serial: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(serial, 0, SERIAL_BYTES);
  return bytes.toString("base64url");
}

function serialOf(tokenId: string): number {
  return Buffer.from(tokenId, "base64url").readUIntBE(0, SERIAL_BYTES);
}
