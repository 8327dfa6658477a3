// The instance metadata service of virtual machines. Asked only when the sign-in is a managed
// identity's: outside Azure something else may have that address.

import { decodeToken, parseTokenResponse } from "copilot-keyless";
import { differs, judged, NotTried, untried } from "../verdict.mjs";

const ADDRESS = "http://169.254.169.254";
const PATH = "/metadata/identity/oauth2/token";
/** On a machine without the service nobody answers. */
const TIMEOUT_MS = 3_000;

/** Where to ask, or why not. */
function place({ env, emulated, scope, token }) {
  if (!token || decodeToken(token.token).principal !== "managed-identity")
    return { why: "the sign-in is not a managed identity's" };
  if (env.IDENTITY_ENDPOINT && !emulated) return { why: "the host has IDENTITY_ENDPOINT instead" };
  if (scope === undefined) return { why: "no scope is known for this host" };
  return { url: new URL(PATH, env.AZURE_POD_IDENTITY_AUTHORITY_HOST || ADDRESS) };
}

async function ask(context, url, version, headers = { metadata: "true" }) {
  url.searchParams.set("api-version", version);
  url.searchParams.set("resource", context.scope.replace(/\/\.default$/, ""));
  const { clientId } = context.provider.credential;
  if (clientId) url.searchParams.set("client_id", clientId);
  const answer = await context.askIdentity({ url: url.href, headers, timeoutMs: TIMEOUT_MS });
  if (answer.status > 0) return answer;
  throw new NotTried(`nothing answers there: ${context.clean(answer.body)}`);
}

export const IMDS = [
  {
    name: "IMDS, 2018-02-01",
    claim: "it answers with `expires_on`, `expires_in` and `not_before` in seconds as text",
    files: ["js/emulator/identity.ts"],
    expected: "texts of digits, and the token's exp",
    identityRequests: 1,
    async run(context) {
      const { url, why } = place(context);
      if (why) return untried(why);
      const asked = Date.now();
      const answer = await ask(context, url, "2018-02-01");
      if (!answer.json?.access_token) return differs(context.describe(answer));
      const { expires_on: on, expires_in: within, refresh_in: refresh } = answer.json;
      const { expiresOn: exp = Number.NaN } = decodeToken(answer.json.access_token);
      const read = parseTokenResponse(answer.body, { requestedAt: asked }).expiresOnTimestamp;
      const forms = `expires_on ${typeof on}, expires_in ${typeof within}, refresh_in ${typeof refresh}`;
      const seen = `fields ${Object.keys(answer.json).join(", ")}; ${forms}; ${Math.round((read - exp) / 1000)} s from exp`;
      const holds = [on, within].every((value) => typeof value === "string" && /^\d+$/.test(value));
      return judged(holds && Math.abs(read - exp) <= 2_000, context.clean(seen, 500));
    },
  },
  {
    name: "IMDS, without the header",
    claim: "a request without `Metadata: true` is refused with 400 and error_description",
    files: ["js/emulator/identity.ts"],
    expected: "HTTP 400, {error, error_description}",
    identityRequests: 1,
    async run(context) {
      const { url, why } = place(context);
      if (why) return untried(why);
      const answer = await ask(context, url, "2018-02-01", {});
      const holds = answer.status === 400 && typeof answer.json?.error_description === "string";
      return judged(holds, context.describe(answer));
    },
  },
];
