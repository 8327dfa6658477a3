import type { Hono } from "hono";
import { type AppContext, type AppEnv, send } from "./http.js";
import type { IdentitySettings } from "./identity-settings.js";

/** The downstream APIs in the sidecar's configuration, with their resources. */
const SERVICES: Readonly<Record<string, string>> = {
  Foundry: "https://ai.azure.com",
  CognitiveServices: "https://cognitiveservices.azure.com",
};

const PATH = "/AuthorizationHeaderUnauthenticated/:service";
const GUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Adds a Microsoft Entra ID auth sidecar. It permits overrides of the scope. */
export function addSidecar(app: Hono<AppEnv>, settings: IdentitySettings): void {
  app.get("/healthz", (c) => send(c, 200, "Healthy"));
  app.get(PATH, (c) => answerSidecar(c, settings));
}

async function answerSidecar(c: AppContext, settings: IdentitySettings): Promise<Response> {
  const service = c.req.param("service") ?? "";
  const scope = c.req.query("optionsOverride.Scopes");
  const resource = scope?.replace(/\/\.default$/, "") ?? SERVICES[service];
  if (!Object.hasOwn(SERVICES, service) || resource === undefined) {
    return problem(c, 404, "Not Found", `Downstream API '${service}' not configured`);
  }
  const [agent, name, user] = ["AgentIdentity", "AgentUsername", "AgentUserId"].map((key) =>
    c.req.query(key),
  );
  if (name && user) {
    return problem(c, 400, "Bad Request", "AgentUsername and AgentUserId are mutually exclusive");
  }
  if ((name || user) && !agent) {
    return problem(c, 400, "Bad Request", "AgentUsername and AgentUserId require AgentIdentity");
  }
  if (agent !== undefined && !GUID.test(agent)) {
    const detail = `MSAL.NetCore.invalid_client: AADSTS700016: Application with identifier '${agent}' was not found in the directory.`;
    return problem(c, 500, "Internal Server Error", detail, { errorCode: "invalid_client" });
  }
  const fault = c.get("tokenFault");
  const token = await settings.tokens.issue({
    resource:
      fault?.kind === "wrong-audience" ? (fault.audience ?? "https://management.azure.com") : resource,
    lifetimeSeconds: fault?.kind === "expired" ? -60 : settings.lifetimeOf(resource),
    clientId: agent,
    principalId: agent,
    application: true,
  });
  c.get("record").tokenId = token.tokenId;
  return send(c, 200, { authorizationHeader: `Bearer ${token.token}` });
}

function problem(
  c: AppContext,
  status: number,
  title: string,
  detail: string,
  extensions?: Record<string, string>,
): Response {
  const body = { type: "https://tools.ietf.org/html/rfc7231", title, status, detail, extensions };
  return send(c, status, body, { "content-type": "application/problem+json" });
}
