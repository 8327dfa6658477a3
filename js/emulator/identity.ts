import { timingSafeEqual } from "node:crypto";
import { Hono } from "hono";
import { redact } from "../errors/redact.js";
import { applyFaults } from "./apply-faults.js";
import { answerEntra, ENTRA_PATH } from "./entra.js";
import { appServiceError, type ErrorAnswer, imdsError } from "./errors.js";
import { MACHINE_LEARNING_PATH } from "./hosts.js";
import { type AppContext, type AppEnv, recordRequests, refuse, send } from "./http.js";
import type { IdentitySettings } from "./identity-settings.js";
import { addJobs } from "./jobs.js";
import { addSidecar } from "./sidecar.js";
import { identityErrorForStatus } from "./status-errors.js";
import type { IssuedToken } from "./tokens.js";

/** App Service 2019-08-01. */
export const APP_SERVICE_PATH = "/msi/token";
/** IMDS 2018-02-01. */
export const IMDS_PATH = "/metadata/identity/oauth2/token";

const APP_SERVICE_VERSION = "2019-08-01";
/** App Service with {@link REVOKED}; by MSAL's design document, not documented by Azure. */
const REVOCATION_VERSION = "2025-03-30";
const IMDS_VERSION = "2018-02-01";
const MACHINE_LEARNING_VERSION = "2017-09-01";
const FAULT_AUDIENCE = "https://management.azure.com";
/** How long ago a token of the `expired` fault expired. */
const EXPIRED_SECONDS_AGO = 60;
/** Query parameters that select an identity, as App Service, IMDS and their clients name them. */
const CLIENT_ID = ["client_id", "clientid"];
const PRINCIPAL_ID = ["principal_id", "object_id"];
const RESOURCE_ID = ["mi_res_id", "msi_res_id"];
/** Not in Azure: for tests of a credential that supports claims. */
const CLAIMS = ["claims"];
/** The hash of a revoked token. It counts only with the capability `cp1`. */
const REVOKED = "token_sha256_to_refresh";
const CAPABILITIES = "xms_cc";

/** Creates both managed identity endpoints, which share the platform's cache, and Entra's. */
export function createIdentityApp(settings: IdentitySettings): Hono<AppEnv> {
  // Not strict: MSAL calls IMDS with a trailing slash.
  const app = new Hono<AppEnv>({ strict: false });
  app.use(recordRequests("identity", settings.log));
  app.use(
    applyFaults({
      server: "identity",
      queue: settings.faults,
      errorForStatus: (c, status, retryAfterSeconds) =>
        identityErrorForStatus(
          status,
          c.get("record").path.startsWith(IMDS_PATH),
          c.get("requestId"),
          retryAfterSeconds,
        ),
    }),
  );
  app.get(APP_SERVICE_PATH, (c) => answerAppService(c, settings));
  app.get(IMDS_PATH, (c) => answerImds(c, settings));
  app.post(ENTRA_PATH, (c) => answerEntra(c, settings));
  addJobs(app, settings);
  addSidecar(app, settings);
  app.get(MACHINE_LEARNING_PATH, (c) => answerMachineLearning(c, settings));
  app.notFound((c) => refuse(c, appServiceError(404, "Not Found", c.get("requestId"))));
  app.onError((error, c) => refuse(c, appServiceError(500, redact(error.message), c.get("requestId"))));
  return app;
}

async function answerAppService(c: AppContext, settings: IdentitySettings): Promise<Response> {
  const refuseWith = (status: number, message: string) =>
    refuse(c, appServiceError(status, message, c.get("requestId")));
  if (!isSecret(c.req.header("x-identity-header"), settings.secret)) {
    return refuse(c, identityErrorForStatus(401, false, c.get("requestId")));
  }
  const version = c.req.query("api-version");
  const revocation = settings.tokenRevocation && version === REVOCATION_VERSION;
  if (version !== APP_SERVICE_VERSION && !revocation) {
    return refuseWith(400, `The api-version is missing or not supported; use ${APP_SERVICE_VERSION}.`);
  }
  const problem = problemOf(c);
  if (problem) return refuseWith(400, problem);
  const { resource, fields, token } = await issue(c, settings, revocation);
  return send(c, 200, {
    access_token: token.token,
    expires_on: String(token.expiresOn),
    resource,
    token_type: "Bearer",
    client_id: token.clientId,
    ...fields,
  });
}

async function answerMachineLearning(c: AppContext, settings: IdentitySettings): Promise<Response> {
  const id = c.get("requestId");
  if (!isSecret(c.req.header("secret"), settings.secret)) {
    return refuse(c, identityErrorForStatus(401, false, id));
  }
  if (c.req.query("api-version") !== MACHINE_LEARNING_VERSION) {
    const message = `The api-version is missing or not supported; use ${MACHINE_LEARNING_VERSION}.`;
    return refuse(c, appServiceError(400, message, id));
  }
  // This version knows the client id alone, under the name `clientid`.
  const problem = c.req.query("clientid") ? problemOf(c) : "The clientid is missing";
  if (problem) return refuse(c, appServiceError(400, problem, id));
  const { resource, fields, token } = await issue(c, settings);
  return send(c, 200, {
    access_token: token.token,
    expires_on: String(token.expiresOn),
    resource,
    token_type: "Bearer",
    ...fields,
  });
}

async function answerImds(c: AppContext, settings: IdentitySettings): Promise<Response> {
  const bad = (description: string): ErrorAnswer => imdsError(400, "invalid_request", description);
  if (c.req.header("metadata")?.toLowerCase() !== "true") {
    return refuse(c, bad("Required metadata header not specified"));
  }
  if (c.req.query("api-version") !== IMDS_VERSION) {
    return refuse(
      c,
      bad(`Required query variable 'api-version' is missing or not supported; use ${IMDS_VERSION}`),
    );
  }
  const problem = problemOf(c);
  if (problem) return refuse(c, bad(problem));
  const { resource, fields, token } = await issue(c, settings);
  // Rounded down, so that a caller that adds it to its clock never exceeds `expires_on`.
  const expiresIn = String(Math.floor(token.expiresOn - settings.clock.now() / 1000));
  return send(c, 200, {
    access_token: token.token,
    client_id: token.clientId,
    expires_in: expiresIn,
    expires_on: String(token.expiresOn),
    ext_expires_in: expiresIn,
    not_before: String(token.notBefore),
    resource,
    token_type: "Bearer",
    ...fields,
  });
}

/** Checks the parameters that the managed identity endpoints share. Returns an error message. */
export function problemOf(c: AppContext): string | undefined {
  const resource = c.req.query("resource");
  if (!resource) return "Required query variable 'resource' is missing";
  if (resource.endsWith("/.default")) {
    return `AADSTS500011: The resource principal named ${resource} was not found in the tenant. A resource is the scope without /.default.`;
  }
  const selectors = [CLIENT_ID, PRINCIPAL_ID, RESOURCE_ID].filter((names) => queryOf(c, names) !== undefined);
  if (selectors.length > 1) return "Only one of client_id, principal_id and mi_res_id can be given";
  return undefined;
}

/**
 * Returns the platform's token for the request.
 *
 * @param revocation whether the endpoint takes the hash of a revoked token
 */
export async function issue(
  c: AppContext,
  settings: IdentitySettings,
  revocation = false,
): Promise<{ resource: string; fields: { expires_on?: unknown }; token: IssuedToken }> {
  const resource = c.req.query("resource") ?? "";
  const fault = c.get("tokenFault");
  const identity = {
    clientId: queryOf(c, CLIENT_ID),
    principalId: queryOf(c, PRINCIPAL_ID),
    resourceId: queryOf(c, RESOURCE_ID),
    claims: queryOf(c, CLAIMS),
  };
  const issueNew = (renewed: boolean) =>
    settings.tokens.issue({
      ...identity,
      resource: fault?.kind === "wrong-audience" ? (fault.audience ?? FAULT_AUDIENCE) : resource,
      lifetimeSeconds: fault?.kind === "expired" ? -EXPIRED_SECONDS_AGO : settings.lifetimeOf(resource),
      renewed,
    });
  const isFaulty = fault?.kind === "wrong-audience" || fault?.kind === "expired";
  const handlesRevocation = revocation && c.req.query(CAPABILITIES)?.split(",").includes("cp1");
  const revoked = handlesRevocation ? c.req.query(REVOKED) : undefined;
  const key = JSON.stringify([resource, identity]);
  const token =
    settings.platformCache && !isFaulty
      ? await settings.platformCache.token(key, revoked, issueNew)
      : await issueNew(false);
  c.get("record").tokenId = token.tokenId;
  return {
    resource,
    token,
    fields: fault && "expiresOn" in fault ? { expires_on: fault.expiresOn } : {},
  };
}

function queryOf(c: AppContext, names: readonly string[]): string | undefined {
  return names.map((name) => c.req.query(name)).find((value) => value);
}

/** Compares a secret in constant time. */
export function isSecret(value: string | undefined, secret: string): boolean {
  const a = Buffer.from(value ?? "");
  const b = Buffer.from(secret);
  return a.length === b.length && timingSafeEqual(a, b);
}
