import { randomBytes, timingSafeEqual } from "node:crypto";
import { decodeJwt, errors, generateKeyPair, jwtVerify, SignJWT } from "jose";
import type { EmulatorClock } from "./clock.js";

/** The fictional service connection of Azure Pipelines. */
export const SERVICE_CONNECTION_ID = "5f3b8c1d-7e42-4a96-8d0f-1c2b3a4d5e6f";

/** The audience of assertions that Entra's public cloud accepts. */
const AUDIENCE = "api://AzureADTokenExchange";
const ALGORITHM = "ES256";

/** The issuer and subject of a platform's tokens. */
const PLATFORMS = {
  "github-actions": {
    issuer: "https://token.actions.githubusercontent.com",
    subject: "repo:octo-org/octo-repo:ref:refs/heads/main",
    seconds: 300,
  },
  "azure-pipelines": {
    issuer: "https://vstoken.dev.azure.com/9a1c2e3f-0b4d-4c5e-8f6a-7b8c9d0e1f2a",
    subject: "sc://octo-org/octo-project/octo-connection",
    seconds: 600,
  },
} as const;

export type JobPlatform = keyof typeof PLATFORMS;

/** An error number of Entra, and its description. */
export interface AssertionError {
  readonly number: number;
  readonly description: string;
}

/** The OIDC tokens of jobs, and the secrets that jobs ask for them with. */
export interface JobTokens {
  /** The expected secret of a platform. */
  readonly secrets: Readonly<Record<JobPlatform, string>>;
  /** Whether an `Authorization` header has the secret of a platform. */
  allows(platform: JobPlatform, authorization: string | undefined): boolean;
  issue(platform: JobPlatform, audience?: string): Promise<string>;
  /**
   * Checks an assertion as Entra does. Returns undefined if it is accepted, and "unknown" if it is
   * of no job.
   */
  judge(assertion: string): Promise<AssertionError | "unknown" | undefined>;
}

/** Creates issuers with a new key, which only this emulator uses. */
export async function createJobTokens(clock: EmulatorClock): Promise<JobTokens> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM);
  const secrets = {
    "github-actions": randomBytes(32).toString("hex"),
    "azure-pipelines": randomBytes(32).toString("hex"),
  };

  function allows(platform: JobPlatform, authorization: string | undefined): boolean {
    const given = Buffer.from(/^bearer (.+)$/i.exec(authorization ?? "")?.[1] ?? "");
    const expected = Buffer.from(secrets[platform]);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  function issue(platform: JobPlatform, audience: string = AUDIENCE): Promise<string> {
    const { issuer, subject, seconds } = PLATFORMS[platform];
    const now = Math.floor(clock.now() / 1000);
    return new SignJWT({ iss: issuer, sub: subject, aud: audience, iat: now, nbf: now, exp: now + seconds })
      .setProtectedHeader({ typ: "JWT", alg: ALGORITHM })
      .sign(privateKey);
  }

  async function judge(assertion: string): Promise<AssertionError | "unknown" | undefined> {
    try {
      await jwtVerify(assertion, publicKey, {
        algorithms: [ALGORITHM],
        audience: AUDIENCE,
        currentDate: new Date(clock.now()),
      });
      return undefined;
    } catch (error) {
      if (error instanceof errors.JWTExpired)
        return { number: 700024, description: "Client assertion is not within its valid time range." };
      if (error instanceof errors.JWTClaimValidationFailed && error.claim === "aud") {
        return {
          number: 700212,
          description: `No matching federated identity record found for presented assertion audience '${decodeJwt(assertion).aud}'.`,
        };
      }
      return "unknown";
    }
  }

  return { secrets, allows, issue, judge };
}
