// Requests that the resource must refuse: which diagnosis comes of each. None reaches a model.

import { OUTPUT_TOKENS } from "../context.mjs";
import { differs, inconclusive, judged, untried } from "../verdict.mjs";

const NO_SUCH_DEPLOYMENT = "copilot-keyless-no-such-deployment";
/** Metadata of the Responses API has at most 512 characters. */
const TOO_LONG = "x".repeat(600);

/**
 * Makes a check of a refusal. `codes` lists the diagnoses that are right; `request` returns the
 * request. `lenient`: the emulator may accept it.
 */
const refusal = ({ codes, status, lenient, request, ...about }) => ({
  files: ["docs/reference/errors.md"],
  expected: `${codes.join(" or ")}${status ? `, HTTP ${status}` : ""}`,
  requests: 1,
  // Should the resource accept it after all.
  outputTokens: OUTPUT_TOKENS,
  ...about,
  async run(context) {
    if (!context.token) return untried("there is no token");
    const response = await context.ask({ ...request(context), name: about.name });
    const seen = context.describe(response);
    const why = inconclusive(response);
    if (why) return untried(`${why}; ${seen}`);
    // Another refusal comes first, such as a missing role, so this one cannot be seen.
    const { code } = response.diagnosis;
    if (context.wireApi === undefined && !codes.includes(code))
      return untried(`ordinary requests are refused as well; ${seen}`);
    if (response.status < 300 && lenient && context.emulated) return untried("the emulator accepts it");
    if (response.status < 300) return differs(`it was accepted: ${seen}`);
    return judged(codes.includes(code) && (status === undefined || response.status === status), seen);
  },
});

export const REFUSALS = [
  refusal({
    name: "wrong deployment",
    claim: "a deployment that does not exist is answered 404 with the code DeploymentNotFound",
    codes: ["deployment-not-found"],
    status: 404,
    request: (context) => ({ body: context.body({ model: NO_SUCH_DEPLOYMENT }) }),
  }),
  refusal({
    name: "no model",
    claim: "a request that names no model is a 400",
    codes: ["bad-request"],
    status: 400,
    request: (context) => ({ body: context.body({ model: undefined }) }),
  }),
  refusal({
    name: "wrong path",
    claim: "a route that does not exist is answered 404, without the code of a deployment",
    codes: ["wrong-path"],
    status: 404,
    request: ({ base }) => ({ url: `${base}copilot-keyless-no-such-route` }),
  }),
  refusal({
    name: "api-version on the v1 route",
    claim: "the v1 route refuses a dated `api-version`",
    codes: ["api-version"],
    status: 400,
    request: (context) => ({ url: `${context.url()}?api-version=2024-10-21` }),
  }),
  refusal({
    name: "malformed api-version",
    claim: "a dated route refuses an `api-version` that is no date",
    files: ["js/emulator/errors.ts", "docs/reference/errors.md"],
    codes: ["api-version"],
    request: (context) => ({
      url: `${dated(context)}?api-version=latest`,
      body: context.body({}, "completions"),
    }),
  }),
  refusal({
    name: "no api-version on a dated route",
    claim: "a dated route without `api-version` is answered 404",
    files: ["js/emulator/foundry.ts"],
    codes: ["wrong-path", "api-version"],
    status: 404,
    request: (context) => ({ url: dated(context), body: context.body({}, "completions") }),
  }),
  refusal({
    name: "api-version before the Responses API",
    claim: "the dated Responses route refuses an `api-version` before 2025-03-01-preview",
    files: ["js/emulator/errors.ts", "docs/reference/errors.md"],
    codes: ["api-version"],
    status: 400,
    request: (context) => ({
      url: `${context.origin}/openai/responses?api-version=2024-10-21`,
      body: context.body({}, "responses"),
    }),
  }),
  refusal({
    name: "unsupported parameter",
    claim: "a parameter that no model has is a 400 that names it",
    codes: ["unsupported-parameter", "bad-request"],
    status: 400,
    lenient: true,
    request: (context) => ({ body: context.body({ copilot_keyless_unknown: true }) }),
  }),
  refusal({
    name: "over-long parameter",
    claim: "a value longer than a parameter allows is a 400, and not a matter of the context length",
    codes: ["bad-request", "unsupported-parameter"],
    status: 400,
    lenient: true,
    request: (context) => ({ body: context.body({ metadata: { note: TOO_LONG } }) }),
  }),
];

const dated = ({ origin, deployment }) =>
  `${origin}/openai/deployments/${encodeURIComponent(deployment)}/chat/completions`;
