import { timingSafeEqual } from "node:crypto";
import type { ErrorAnswer } from "./errors.js";
import { type AppContext, readBody, refuse, send } from "./http.js";
import type { IdentitySettings } from "./identity-settings.js";
import { PRINCIPAL } from "./tokens.js";

/**
 * The path of Entra's token endpoint v2.0: client credentials with a secret or a federated token.
 */
export const ENTRA_PATH = "/:tenant/oauth2/v2.0/token";

const BODY_LIMIT = 64 * 1024;
const JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** Answers a token request as Entra does, with its error numbers. */
export async function answerEntra(c: AppContext, settings: IdentitySettings): Promise<Response> {
  const text = await readBody(c, BODY_LIMIT);
  const form = new URLSearchParams(text === "too-large" ? "" : text);
  const refused = await problemOf(c.req.param("tenant") ?? "", form, settings);
  if (refused) return refuse(c, refused);
  const resource = (form.get("scope") ?? "").replace(/\/\.default$/, "");
  const fault = c.get("tokenFault");
  const lifetimeSeconds = settings.lifetimeOf(resource);
  const token = await settings.tokens.issue({
    resource:
      fault?.kind === "wrong-audience" ? (fault.audience ?? "https://management.azure.com") : resource,
    lifetimeSeconds,
    clientId: form.get("client_id") ?? undefined,
    application: true,
  });
  c.get("record").tokenId = token.tokenId;
  const expiresIn = Math.floor(token.expiresOn - settings.clock.now() / 1000);
  return send(c, 200, {
    token_type: "Bearer",
    expires_in: expiresIn,
    ext_expires_in: expiresIn,
    // Entra sends it for long-lived tokens.
    ...(lifetimeSeconds >= 7_200 ? { refresh_in: Math.floor(expiresIn / 2) } : {}),
    access_token: token.token,
  });
}

async function problemOf(
  tenant: string,
  form: URLSearchParams,
  settings: IdentitySettings,
): Promise<ErrorAnswer | undefined> {
  const scope = form.get("scope") ?? "";
  if (tenant !== PRINCIPAL.tenantId) {
    return entraError(
      "invalid_request",
      90002,
      `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.`,
    );
  }
  if (form.get("grant_type") !== "client_credentials") {
    return entraError("unsupported_grant_type", 70003, "The app requested an unsupported grant type.");
  }
  if (form.get("client_id") !== PRINCIPAL.clientId) {
    return entraError(
      "unauthorized_client",
      700016,
      `Application with identifier '${form.get("client_id")}' was not found in the directory.`,
    );
  }
  if (!/^\S+\/\.default$/.test(scope)) {
    return entraError(
      "invalid_scope",
      70011,
      `The provided value for the input parameter 'scope' is not valid. The scope ${scope} is not valid.`,
    );
  }
  if (form.has("client_assertion")) {
    if (form.get("client_assertion_type") !== JWT_BEARER) {
      return entraError(
        "invalid_request",
        900144,
        "The request body must contain the following parameter: 'client_assertion_type'.",
      );
    }
    return assertionProblem(form.get("client_assertion") ?? "", settings);
  }
  if (isEqual(form.get("client_secret"), settings.clientSecret)) return undefined;
  return entraError(
    "invalid_client",
    7000215,
    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.",
    401,
  );
}

async function assertionProblem(
  assertion: string,
  settings: IdentitySettings,
): Promise<ErrorAnswer | undefined> {
  if (isEqual(assertion, settings.federatedToken)) return undefined;
  const problem = await settings.jobs.judge(assertion);
  if (problem === "unknown") {
    return entraError(
      "invalid_client",
      700213,
      "No matching federated identity record found for presented assertion subject.",
    );
  }
  return problem && entraError("invalid_client", problem.number, problem.description);
}

function entraError(error: string, number: number, description: string, status = 400): ErrorAnswer {
  return {
    status,
    body: { error, error_description: `AADSTS${number}: ${description}`, error_codes: [number] },
  };
}

function isEqual(actual: string | null, expected: string): boolean {
  const [a, b] = [Buffer.from(actual ?? ""), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
