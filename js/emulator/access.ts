import type { MiddlewareHandler } from "hono";
import { type ErrorAnswer, resourceError } from "./errors.js";
import type { AppContext, AppEnv } from "./http.js";
import type { RequestAuthorization } from "./log.js";
import { allows, type Operation } from "./roles.js";
import { type TokenAuthority, withoutTrailingSlash } from "./tokens.js";

/** The audiences and roles that the resource accepts. */
export interface AccessRules {
  readonly audiences: readonly string[];
  readonly roles: readonly string[];
}

/** Audiences of the account's older API. Projects do not accept them. */
const COGNITIVE_SERVICES = /^https:\/\/cognitiveservices\.azure\./;

/**
 * Verifies the credential of a request first of all, so that the log has it even if a fault
 * answers.
 */
export function authenticate(tokens: TokenAuthority): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const record = c.get("record");
    const header = c.req.header("authorization");
    const bearer = /^bearer(?: +|$)(.*)$/i.exec(header ?? "")?.[1];
    if (bearer !== undefined) {
      const verification = await tokens.verify(bearer);
      c.set("verification", verification);
      record.authorization = { scheme: "bearer", verdict: verification.verdict, ...verification.claims };
      if (verification.claims) record.tokenId = verification.claims.tokenId;
    } else {
      record.authorization = { scheme: schemeWithoutBearer(c, header), verdict: "missing" };
    }
    await next();
  };
}

/** Returns the error of a request that the resource refuses, or undefined. */
export function refusal(
  c: AppContext,
  rules: AccessRules,
  operation: Operation,
  inProject: boolean,
): ErrorAnswer | undefined {
  const accepted = inProject
    ? rules.audiences.filter((audience) => !COGNITIVE_SERVICES.test(audience))
    : rules.audiences;
  const audience = accepted[0] ?? "https://ai.azure.com";
  const verification = c.get("verification");
  if (!verification) {
    const withKey = c.get("record").authorization?.scheme === "api-key";
    return withKey ? resourceError("keys-disabled") : resourceError("token-invalid", { audience });
  }
  const { verdict, claims } = verification;
  if (verdict !== "valid" || !claims) return resourceError("token-invalid", { audience });
  if (!accepted.map(withoutTrailingSlash).includes(withoutTrailingSlash(claims.audience))) {
    setVerdict(c, "wrong-audience");
    return resourceError("wrong-audience", { audience });
  }
  if (!allows(rules.roles, operation)) {
    setVerdict(c, "missing-role");
    const { dataAction } = operation;
    if (dataAction === undefined) return resourceError("missing-role-unnamed");
    const { method, path } = c.get("record");
    return resourceError("missing-role", {
      principal: claims.principalId,
      dataAction,
      operation: `${method} ${path}`,
    });
  }
  return undefined;
}

function setVerdict(c: AppContext, verdict: RequestAuthorization["verdict"]): void {
  const record = c.get("record");
  record.authorization = { ...record.authorization, scheme: "bearer", verdict };
}

function schemeWithoutBearer(c: AppContext, header: string | undefined): RequestAuthorization["scheme"] {
  if (c.req.header("api-key") !== undefined || c.req.header("x-api-key") !== undefined) return "api-key";
  return header === undefined ? "none" : "other";
}
