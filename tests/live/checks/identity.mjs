// The managed identity endpoint of App Service, Functions and Container Apps: its versions, the
// platform's cache of tokens, and its errors. Only GET requests, for tokens.

import { createHash, randomUUID } from "node:crypto";
import { decodeToken, parseTokenResponse } from "copilot-keyless";
import { differs, judged, judgedLive, NotTried, untried } from "../verdict.mjs";

const ORDINARY = "2019-08-01";
const NEWER = "2025-03-30";
/** The statuses that mean that the endpoint does not know the newer version. */
const REFUSED = [400, 404, 405, 406, 415, 422, 501, 505];

/** Why the endpoint cannot be asked here, or undefined. */
function absent({ env, scope }) {
  if (!env.IDENTITY_ENDPOINT || !env.IDENTITY_HEADER)
    return "there is no IDENTITY_ENDPOINT: run it in App Service, Functions or Container Apps";
  if (env.IDENTITY_SERVER_THUMBPRINT || env.IMDS_ENDPOINT) return "the endpoint is of another kind of host";
  if (scope === undefined) return "no scope is known for this host";
  return undefined;
}

/** Asks for a token. Parameters and headers override the ordinary ones; `undefined` omits one. */
async function ask(context, parameters = {}, headers = {}) {
  const { env, scope, provider } = context;
  const url = new URL(env.IDENTITY_ENDPOINT);
  const clientId = provider.credential.clientId;
  const given = { "api-version": ORDINARY, resource: scope.replace(/\/\.default$/, ""), client_id: clientId };
  for (const [name, value] of Object.entries({ ...given, ...parameters }))
    if (value !== undefined) url.searchParams.set(name, value);
  const answer = await context.askIdentity({
    url: url.href,
    headers: { "x-identity-header": env.IDENTITY_HEADER, ...headers },
  });
  const told = context.describe(answer);
  if (answer.status === 0 || answer.status === 429) throw new NotTried(told);
  return { ...answer, token: answer.json?.access_token, told };
}

const check = ({ run, files = ["js/emulator/identity.ts"], ...about }) => ({
  files,
  ...about,
  identityRequests: about.identityRequests ?? 1,
  async run(context) {
    const why = absent(context);
    return why === undefined ? run(context) : untried(why);
  },
});

/** Makes a check of an error. `because`: why the emulator does not answer it. */
const error = ({ parameters, headers, statuses, because, ...about }) =>
  check({
    ...about,
    expected: `HTTP ${statuses.join(" or ")}, a JSON object with statusCode and message`,
    async run(context) {
      const answer = await ask(context, parameters?.() ?? {}, headers);
      const holds = statuses.includes(answer.status) && typeof answer.json?.message === "string";
      return because ? judgedLive(context, holds, answer.told, because) : judged(holds, answer.told);
    },
  });

export const IDENTITY = [
  check({
    name: "identity endpoint, 2019-08-01",
    claim: "it answers with `expires_on` in epoch seconds as text, without `expires_in` and `refresh_in`",
    files: ["js/emulator/identity.ts", "docs/design/tokens.md"],
    expected: "expires_on is a text of digits and the token's exp",
    async run(context) {
      const asked = Date.now();
      const answer = await ask(context);
      if (!answer.token) return differs(answer.told);
      context.identityTokens.set("ordinary", answer.token);
      const { expires_on: expiresOn, expires_in: expiresIn, refresh_in: refreshIn } = answer.json;
      const read = parseTokenResponse(answer.body, { requestedAt: asked }).expiresOnTimestamp;
      const { expiresOn: exp = Number.NaN } = decodeToken(answer.token);
      const left = `${((exp - asked) / 3_600_000).toFixed(1)} h left`;
      const seen = `fields ${Object.keys(answer.json).join(", ")}; expires_on ${formOf(expiresOn)}, expires_in ${formOf(expiresIn)}, refresh_in ${formOf(refreshIn)}; ${(read - exp) / 1000} s from exp; ${left}`;
      const holds = /^\d+$/.test(expiresOn) && typeof expiresOn === "string" && Math.abs(read - exp) <= 1000;
      return judged(holds && expiresIn === undefined && refreshIn === undefined, context.clean(seen, 500));
    },
  }),
  check({
    name: "the platform's cache",
    claim: "two requests in a row bring the same token",
    files: ["docs/design/tokens.md", "js/emulator/platform-cache.ts"],
    expected: "the same token",
    async run(context) {
      const first = context.identityTokens.get("ordinary");
      if (!first) return untried("the endpoint gave no token");
      const { token, told } = await ask(context);
      if (!token) return differs(told);
      const seen = token === first ? "the same token" : `another token, ${issuedApart(first, token)}`;
      return judged(token === first, seen);
    },
  }),
  check({
    name: "revocation parameters, 2019-08-01",
    claim: "the ordinary version ignores xms_cc and token_sha256_to_refresh",
    files: ["docs/design/tokens.md", "js/emulator/platform-cache.ts"],
    expected: "the same token",
    async run(context) {
      const first = context.identityTokens.get("ordinary");
      if (!first) return untried("the endpoint gave no token");
      const { token, told } = await ask(context, renewal(first));
      if (!token) return differs(told);
      const seen = `${token === first ? "the same token" : `another token, ${issuedApart(first, token)}`}; ${capability(token)}`;
      return judged(token === first, seen);
    },
  }),
  check({
    name: "identity endpoint, 2025-03-30",
    claim: "a host either answers this version or refuses it with a 4xx or 5xx of an unknown version",
    files: ["src/request/identity/mod.rs", "src/request/identity/renewal.rs", "docs/design/tokens.md"],
    expected: `HTTP 200, or one of ${REFUSED.join(", ")}`,
    async run(context) {
      const { status, token, told, json } = await ask(context, { "api-version": NEWER });
      if (token) {
        context.identityTokens.set("newer", token);
        const same = token === context.identityTokens.get("ordinary");
        const fields = Object.keys(json).join(", ");
        return judged(
          true,
          context.clean(
            `answered, fields ${fields}; ${same ? "the same" : "another"} token; ${capability(token)}`,
            500,
          ),
        );
      }
      return judged(REFUSED.includes(status), told);
    },
  }),
  check({
    name: "xms_cc, 2025-03-30",
    claim: "xms_cc=cp1 brings a token whose holder can handle claims challenges",
    files: ["src/request/identity/renewal.rs"],
    expected: "a token with the claim xms_cc",
    async run(context) {
      const newer = context.identityTokens.get("newer");
      if (!newer) return untried("the endpoint does not answer 2025-03-30");
      const { token, told } = await ask(context, { "api-version": NEWER, xms_cc: "cp1" });
      if (!token) return differs(told);
      const seen = `${token === newer ? "the same token" : `another token, ${issuedApart(newer, token)}`}; ${capability(token)}`;
      return judgedLive(
        context,
        decodeToken(token).continuousAccess,
        seen,
        "the emulator returns the token that it has",
      );
    },
  }),
  check({
    name: "token_sha256_to_refresh, 2025-03-30",
    claim: "the hash of the cached token, with xms_cc=cp1, brings another token",
    files: ["src/request/identity/renewal.rs", "js/credentials/direct.ts", "docs/reference/comparison.md"],
    expected: "another token, and the same again without the hash",
    identityRequests: 2,
    async run(context) {
      const newer = context.identityTokens.get("newer");
      if (!newer) return untried("the endpoint does not answer 2025-03-30");
      const { token, told } = await ask(context, { "api-version": NEWER, ...renewal(newer) });
      if (!token) return differs(told);
      const { token: after } = await ask(context, { "api-version": NEWER });
      const same = token === newer ? "the same token" : `another token, ${issuedApart(newer, token)}`;
      const later =
        after === token ? "the new one again" : after === newer ? "the old one" : "yet another one";
      return judged(token !== newer, `${same}; ${capability(token)}; afterwards, without the hash: ${later}`);
    },
  }),
  error({
    name: "identity endpoint, no api-version",
    claim: "a request without api-version is refused",
    statuses: [400],
    parameters: () => ({ "api-version": undefined }),
  }),
  error({
    name: "identity endpoint, wrong header",
    claim: "a wrong X-IDENTITY-HEADER is refused with 401",
    files: ["js/emulator/status-errors.ts"],
    statuses: [401],
    headers: { "x-identity-header": "copilot-keyless-wrong" },
  }),
  error({
    name: "identity endpoint, a scope as the resource",
    claim: "a resource that ends with /.default is refused with AADSTS500011",
    statuses: [400, 500],
    parameters: () => ({ resource: "https://ai.azure.com/.default" }),
  }),
  error({
    name: "identity endpoint, unknown resource",
    claim: "a resource that the tenant does not know is refused",
    files: ["js/emulator/status-errors.ts"],
    statuses: [400, 500],
    parameters: () => ({ resource: `https://${randomUUID()}.invalid` }),
    because: "the emulator issues tokens for any resource",
  }),
  error({
    name: "identity endpoint, unknown client id",
    claim: "a client id that is not assigned is refused with 400",
    files: ["js/emulator/status-errors.ts"],
    statuses: [400],
    parameters: () => ({ client_id: randomUUID() }),
    because: "the emulator knows every client id",
  }),
];

const renewal = (token) => ({
  xms_cc: "cp1",
  token_sha256_to_refresh: createHash("sha256").update(token).digest("hex"),
});

const capability = (token) =>
  decodeToken(token).continuousAccess ? "with the claim xms_cc cp1" : "without the claim xms_cc cp1";

function issuedApart(first, second) {
  const [one, other] = [first, second].map((token) => decodeToken(token).issuedAt ?? Number.NaN);
  return `issued ${Math.round((other - one) / 1000)} s later`;
}

/** Returns the form of a field, without its value. */
function formOf(value) {
  if (value === undefined) return "absent";
  if (typeof value !== "string") return typeof value;
  return /^\d+$/.test(value) ? "text of digits" : "other text";
}
