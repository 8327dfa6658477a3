import type { Hono } from "hono";
import { type AppContext, type AppEnv, send } from "./http.js";
import type { IdentitySettings } from "./identity-settings.js";
import { SERVICE_CONNECTION_ID } from "./job-tokens.js";

/** The value of `ACTIONS_ID_TOKEN_REQUEST_URL`, which has a query. */
export const ACTIONS_PATH = "/actions/idtoken";
/** The value of `SYSTEM_OIDCREQUESTURI`. */
export const PIPELINES_PATH = "/pipelines/oidctoken";

const PIPELINES_VERSION = "7.1";
const DEFAULT_AUDIENCE = "https://github.com/octo-org";

/** Adds the endpoints where jobs of GitHub Actions and Azure Pipelines get their OIDC tokens. */
export function addJobs(app: Hono<AppEnv>, settings: IdentitySettings): void {
  app.get(ACTIONS_PATH, (c) => answerActions(c, settings));
  app.post(PIPELINES_PATH, (c) => answerPipelines(c, settings));
}

async function answerActions(c: AppContext, { jobs }: IdentitySettings): Promise<Response> {
  if (!jobs.allows("github-actions", c.req.header("authorization"))) {
    return send(c, 401, { message: "Authentication required: the request token is missing or wrong." });
  }
  const value = await jobs.issue("github-actions", c.req.query("audience") ?? DEFAULT_AUDIENCE);
  return send(c, 200, { count: value.length, value });
}

async function answerPipelines(c: AppContext, { jobs }: IdentitySettings): Promise<Response> {
  if (!jobs.allows("azure-pipelines", c.req.header("authorization"))) {
    // Azure DevOps leads browsers to a page to sign in.
    return c.req.header("x-tfs-fedauthredirect")?.toLowerCase() === "suppress"
      ? send(c, 401, "TF400813: The user is not authorized to access this resource.")
      : send(c, 302, "", { location: "https://spsprodeus21.vssps.visualstudio.com/_signin" });
  }
  if (c.req.query("api-version") !== PIPELINES_VERSION) {
    return send(c, 400, { message: `The api-version must be ${PIPELINES_VERSION}.` });
  }
  const connection = c.req.query("serviceConnectionId");
  if (connection !== SERVICE_CONNECTION_ID) {
    return send(c, 404, { message: `Service connection with id ${connection} could not be found.` });
  }
  return send(c, 200, { oidcToken: await jobs.issue("azure-pipelines") });
}
