// Tokens that the resource must reject, and one for another scope that it must accept.

import { OUTPUT_TOKENS } from "../context.mjs";
import { inconclusive, judged, untried } from "../verdict.mjs";

/** Of a service where a token without a role on a namespace allows nothing. */
const OTHER_SCOPE = "https://servicebus.azure.net/.default";
const SCOPES = ["https://ai.azure.com/.default", "https://cognitiveservices.azure.com/.default"];

/**
 * Makes a check of a token. `token` returns it, or `why` there is none. `anybody`: it takes no
 * sign-in.
 */
const rejection = ({ code, token, anybody = false, ...about }) => ({
  files: ["docs/reference/errors.md", "js/emulator/errors.ts"],
  expected: `${code}, HTTP 401`,
  requests: 1,
  outputTokens: 0,
  ...about,
  async run(context) {
    if (!context.token && !anybody) return untried("there is no token");
    const given = await token(context);
    if (given?.why) return untried(given.why);
    const response = await context.ask({ token: given, name: about.name });
    const seen = `${context.describe(response)}; token rejected: ${response.diagnosis.tokenRejected}`;
    const why = inconclusive(response);
    return why ? untried(`${why}; ${seen}`) : judged(matches(response, code), seen);
  },
});

const matches = ({ status, diagnosis }, code) => status === 401 && diagnosis.code === code;

export const TOKENS = [
  rejection({
    name: "no token",
    claim: "a request without a token is answered 401 with the same body as one with a wrong token",
    code: "token-invalid",
    anybody: true,
    token: () => null,
  }),
  rejection({
    name: "no JWT",
    claim: "a bearer token that is no JWT is answered 401",
    code: "token-invalid",
    anybody: true,
    token: () => "copilot-keyless-no-token",
  }),
  rejection({
    name: "damaged signature",
    claim: "a token whose signature is wrong is answered 401 without a reason of its own",
    code: "token-invalid",
    token: ({ token }) => damaged(token.token) ?? { why: "the token is no JWT" },
  }),
  rejection({
    name: "expired by its claims",
    claim: "a token whose `exp` is past is answered 401; `diagnose()` finds the reason in its claims",
    code: "token-expired",
    token: ({ token }) => withExpiry(token.token, Date.now() - 3_600_000) ?? { why: "the token is no JWT" },
  }),
  rejection({
    name: "wrong audience",
    claim: "a valid token for another service is answered 401, which names the audience that is right",
    code: "wrong-audience",
    token: (context) => otherToken(context, OTHER_SCOPE),
  }),
  {
    name: "the other scope",
    claim: "an account takes tokens for ai.azure.com and for cognitiveservices.azure.com alike",
    files: ["docs/design/endpoint.md"],
    expected: "HTTP 200",
    requests: 1,
    outputTokens: OUTPUT_TOKENS,
    async run(context) {
      if (context.wireApi === undefined) return untried("ordinary requests are refused");
      if (context.endpoint.kind === "foundry-project") return untried("projects take one of them only");
      const scope = SCOPES.find((one) => one !== context.scope);
      if (!SCOPES.includes(context.scope)) return untried("the endpoint is of another cloud");
      const token = await otherToken(context, scope);
      if (token.why) return untried(token.why);
      const response = await context.ask({ token, name: "the other scope" });
      const seen = `${scope}: ${context.describe(response)}`;
      const why = inconclusive(response);
      return why ? untried(`${why}; ${seen}`) : judged(response.status === 200, seen);
    },
  },
];

async function otherToken(context, scope) {
  try {
    return (await context.acquire(scope)).token;
  } catch (error) {
    context.signal.throwIfAborted();
    return { why: `no token for ${scope}: ${error.code ?? error.name}: ${context.clean(error.message)}` };
  }
}

/** Changes the middle of a JWT's signature. */
export function damaged(token) {
  const [head, claims, signature, ...rest] = token.split(".");
  if (!signature || rest.length > 0) return undefined;
  const at = signature.length >> 1;
  const changed = [...signature.slice(at, at + 4)].map((letter) => (letter === "A" ? "B" : "A")).join("");
  return [head, claims, signature.slice(0, at) + changed + signature.slice(at + 4)].join(".");
}

/** Changes the expiry in a JWT's claims, which makes its signature wrong. */
export function withExpiry(token, expiresOn) {
  const [head, claims, signature, ...rest] = token.split(".");
  if (!signature || rest.length > 0) return undefined;
  try {
    const changed = JSON.parse(Buffer.from(claims, "base64url").toString("utf8"));
    changed.exp = Math.floor(expiresOn / 1000);
    return [head, Buffer.from(JSON.stringify(changed)).toString("base64url"), signature].join(".");
  } catch {
    return undefined;
  }
}
