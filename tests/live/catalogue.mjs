// All checks, in their order, and what they may cost.

import { ELSEWHERE } from "./checks/elsewhere.mjs";
import { HEADERS } from "./checks/headers.mjs";
import { IDENTITY } from "./checks/identity.mjs";
import { IMDS } from "./checks/imds.mjs";
import { REFUSALS } from "./checks/refusals.mjs";
import { SIGN_IN } from "./checks/sign-in.mjs";
import { STREAMS } from "./checks/streams.mjs";
import { TOKENS } from "./checks/tokens.mjs";

/**
 * The checks. Each has a `name`; the `claim` and the `files` that make it, the first of them
 * foremost; what is `expected`; how many requests to the resource and to identity endpoints it
 * sends at most; and how many tokens a model may answer to each of its requests.
 */
export const CHECKS = [
  ...SIGN_IN,
  ...REFUSALS,
  ...TOKENS,
  ...STREAMS,
  ...HEADERS,
  ...IDENTITY,
  ...IMDS,
  ...ELSEWHERE,
];

/** What the prompt of a request takes, about. */
const INPUT_TOKENS = 20;

/** The most that a run sends: requests, and tokens that models may answer. */
export function budget(checks = CHECKS) {
  const sum = (of) => checks.reduce((total, check) => total + of(check), 0);
  return {
    requests: sum(({ requests = 0 }) => requests),
    outputTokens: sum(({ requests = 0, outputTokens = 0 }) => requests * outputTokens),
    identityRequests: sum(({ identityRequests = 0 }) => identityRequests),
  };
}

/** What the user has to know before anything is sent. */
export function announcement({ requests, outputTokens, identityRequests } = budget()) {
  return [
    `This sends at most ${requests} short requests to your resource, about ${requests * INPUT_TOKENS} tokens. Most are made to`,
    `be refused; should all be answered, models write at most ${outputTokens} tokens (16 each). That is less than a`,
    "cent with most models, and a few cents with the dearest. In Azure it also asks the identity endpoint",
    `${identityRequests} times for tokens, and to renew the one that it keeps. It changes nothing else in Azure and`,
    "follows no redirects. The report holds no token, id, host or name.",
  ].join("\n");
}
