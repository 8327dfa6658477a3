import type { TLSSocket } from "node:tls";
import { Hono } from "hono";
import { redact } from "../errors/redact.js";
import { applyFaults } from "./apply-faults.js";
import { type Certificate, selfSigned } from "./certificate.js";
import { answerEntra } from "./entra.js";
import { type AppContext, type AppEnv, recordRequests, refuse, send } from "./http.js";
import { isSecret, issue, problemOf } from "./identity.js";
import type { IdentitySettings } from "./identity-settings.js";
import { addJobs, PIPELINES_PATH } from "./jobs.js";
import { listen, type RunningServer } from "./server.js";
import { identityErrorForStatus } from "./status-errors.js";
import { PRINCIPAL } from "./tokens.js";
import type { EmulatedHosts, SecureHosts } from "./types.js";

/** The value of `IDENTITY_ENDPOINT` in Service Fabric. */
const SERVICE_FABRIC_PATH = "/metadata/identity/oauth2/token";
const SERVICE_FABRIC_VERSION = "2019-07-01-preview";
/** The path of `AZURE_KUBERNETES_TOKEN_PROXY`. */
const PROXY_PATH = "/identity-binding";
/** The server name of the token proxy. The certificate has no other name. */
const PROXY_NAME = "emulator.identity-binding.example";

/** A running https server, and the environments that lead to it. */
export interface SecureServer extends RunningServer {
  readonly hosts: SecureHosts;
}

/**
 * Starts Service Fabric's identity endpoint, the token proxy of an AKS identity binding, and the
 * endpoint of Azure Pipelines once more.
 */
export async function startSecure(
  settings: IdentitySettings,
  resource: Readonly<Record<string, string>>,
  hosts: EmulatedHosts,
): Promise<SecureServer> {
  const certificate = selfSigned(PROXY_NAME);
  const server = await listen(createSecureApp(settings), 0, "port", { certificate });
  const pipelines = { ...hosts.azurePipelines, SYSTEM_OIDCREQUESTURI: `${server.url}${PIPELINES_PATH}` };
  return {
    ...server,
    hosts: {
      ...environments(server.url, certificate, settings.secret, resource),
      azurePipelines: pipelines,
    },
  };
}

function environments(
  url: string,
  { cert, thumbprint }: Certificate,
  secret: string,
  resource: Readonly<Record<string, string>>,
): Omit<SecureHosts, "azurePipelines"> {
  return {
    serviceFabric: {
      IDENTITY_ENDPOINT: `${url}${SERVICE_FABRIC_PATH}`,
      IDENTITY_HEADER: secret,
      IDENTITY_SERVER_THUMBPRINT: thumbprint,
      ...resource,
    },
    identityBinding: {
      AZURE_CLIENT_ID: PRINCIPAL.clientId,
      AZURE_TENANT_ID: PRINCIPAL.tenantId,
      AZURE_KUBERNETES_TOKEN_PROXY: `${url}${PROXY_PATH}`,
      AZURE_KUBERNETES_SNI_NAME: PROXY_NAME,
      AZURE_KUBERNETES_CA_DATA: cert,
      ...resource,
    },
  };
}

function createSecureApp(settings: IdentitySettings): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });
  app.use(recordRequests("identity", settings.log));
  app.use(
    applyFaults({
      server: "identity",
      queue: settings.faults,
      errorForStatus: (c, status, retryAfterSeconds) =>
        identityErrorForStatus(status, false, c.get("requestId"), retryAfterSeconds),
    }),
  );
  app.get(SERVICE_FABRIC_PATH, (c) => answerServiceFabric(c, settings));
  addJobs(app, settings);
  app.post(`${PROXY_PATH}/:tenant/oauth2/v2.0/token`, (c) => answerProxy(c, settings));
  app.notFound((c) => refuse(c, serviceFabricError(404, "NotFound", "Not Found")));
  app.onError((error, c) => refuse(c, serviceFabricError(500, "InternalServerError", redact(error.message))));
  return app;
}

async function answerServiceFabric(c: AppContext, settings: IdentitySettings): Promise<Response> {
  if (!isSecret(c.req.header("secret"), settings.secret)) {
    const message = "Secret is not found in the request headers.";
    return refuse(c, serviceFabricError(400, "SecretHeaderNotFound", message));
  }
  if (c.req.query("api-version") !== SERVICE_FABRIC_VERSION) {
    const message = `The api-version is not supported. Supported version is '${SERVICE_FABRIC_VERSION}'.`;
    return refuse(c, serviceFabricError(400, "InvalidApiVersion", message));
  }
  const problem = problemOf(c);
  if (problem) return refuse(c, serviceFabricError(400, "ArgumentNullOrEmpty", problem));
  const { resource, fields, token } = await issue(c, settings, true);
  return send(c, 200, {
    token_type: "Bearer",
    access_token: token.token,
    expires_on: token.expiresOn,
    resource,
    ...fields,
  });
}

/** The proxy serves callers that ask for its name alone. */
async function answerProxy(c: AppContext, settings: IdentitySettings): Promise<Response> {
  const { servername } = c.env.incoming.socket as TLSSocket & { servername?: string };
  if (servername !== PROXY_NAME) return send(c, 421, "no identity binding of this server name");
  return answerEntra(c, settings);
}

function serviceFabricError(status: number, code: string, message: string) {
  return {
    status,
    body: { error: { correlationId: "00000000-0000-0000-0000-000000000000", code, message } },
  };
}
