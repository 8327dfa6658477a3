// The token, by the credential that the project chooses here, and the ordinary request that all
// other checks are compared with.

import { randomUUID } from "node:crypto";
import { checkToken, decodeToken } from "copilot-keyless";
import { OUTPUT_TOKENS } from "../context.mjs";
import { confirmed, differs, inconclusive, judged, judgedLive, untried } from "../verdict.mjs";

/** The difference between two statements of the same expiry that rounding explains. */
const ROUNDING_MS = 2_000;

export const SIGN_IN = [
  {
    name: "sign-in",
    claim: "the credential that the environment selects gets a token for the endpoint's scope",
    files: ["docs/guides/credentials.md"],
    expected: "a token whose audience fits the endpoint",
    async run(context) {
      if (context.scope === undefined)
        return untried("no scope is known for this host: set FOUNDRY_TOKEN_SCOPE");
      try {
        context.token = await context.acquire();
      } catch (error) {
        context.signal.throwIfAborted();
        return untried(`not signed in: ${error.code ?? error.name}: ${context.clean(error.message, 600)}`);
      }
      const { token } = context.token;
      const about = context.learnToken(token);
      const problem = checkToken({ endpoint: context.endpoint, token });
      const seen = [
        `${about.format} of a ${about.principal}`,
        `aud ${context.clean(about.audience ?? "none")}`,
        `claims ${context.clean(claimNames(token).join(", "), 600) || "unreadable"}`,
      ].join("; ");
      return judged(!problem, problem ? `${problem.code}; ${seen}` : seen);
    },
  },
  {
    name: "expiry of the credential",
    claim: "the expiry that a credential states is the token's own `exp`, to the second",
    files: ["docs/design/tokens.md", "js/emulator/entra.ts"],
    expected: "the same second; a refresh time only if it lives for 2 h and more",
    async run({ token, provider }) {
      if (!token) return untried("there is no token");
      const { expiresOn, issuedAt } = decodeToken(token.token);
      if (expiresOn === undefined || issuedAt === undefined) return untried("the token cannot be decoded");
      const apart = token.expiresOnTimestamp - expiresOn;
      const [lifetime, left] = [issuedAt, Date.now()].map((from) => Math.round((expiresOn - from) / 60_000));
      const advised = token.refreshAfterTimestamp;
      const refresh =
        advised === undefined
          ? "no refresh time advised"
          : `refresh advised ${Math.round((expiresOn - advised) / 60_000)} min before the end`;
      const kind = provider.credential.kind;
      const seen = `${apart} ms apart, lives for ${lifetime} min, ${left} left, ${refresh}, credential ${kind}`;
      return judged(Math.abs(apart) <= ROUNDING_MS && (advised === undefined || lifetime >= 120), seen);
    },
  },
  {
    name: "unknown scope",
    claim: "a scope that the tenant does not know is refused with AADSTS500011, which the error repeats",
    files: ["docs/reference/errors.md"],
    expected: "an error of the credential with AADSTS500011",
    async run(context) {
      if (!context.token) return untried("there is no token");
      try {
        await context.acquire(`api://${randomUUID()}/.default`);
      } catch (error) {
        context.signal.throwIfAborted();
        const { code = error.name, message, hint = "no hint" } = error;
        const holds = String(code).startsWith("credential/") && /AADSTS500011\b/.test(`${message} ${hint}`);
        return judged(holds, `${code}: ${context.clean(message)}; ${context.clean(hint)}`);
      }
      return judgedLive(context, false, "a token", "the emulator issues tokens for any resource");
    },
  },
  {
    name: "ordinary request",
    claim: "the v1 route answers the token with 200: in the Responses API, else in Chat Completions",
    files: ["docs/design/endpoint.md", "docs/reference/tested.md"],
    expected: "ok, HTTP 200",
    requests: 2,
    outputTokens: OUTPUT_TOKENS,
    async run(context) {
      if (!context.token) return untried("there is no token");
      const seen = [];
      for (const wireApi of ["responses", "completions"]) {
        const body = context.body({}, wireApi);
        const response = await context.ask({ url: context.url(wireApi), body, name: `ordinary, ${wireApi}` });
        seen.push(`${wireApi}: ${context.describe(response)}`);
        if (response.status === 200) {
          context.wireApi = wireApi;
          return confirmed(seen.join("; "));
        }
        const why = inconclusive(response);
        if (why) return untried(`${why}; ${seen.join("; ")}`);
        if (
          ["token-invalid", "missing-role", "wrong-audience", "wrong-tenant"].includes(
            response.diagnosis.code,
          )
        )
          break;
      }
      return differs(seen.join("; "));
    },
  },
];

/** Returns the names of a token's claims, without their values. */
function claimNames(token) {
  try {
    return Object.keys(
      JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")),
    ).sort();
  } catch {
    return [];
  }
}
