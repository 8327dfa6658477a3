// Claims that this command cannot try, and why.

import { untried } from "../verdict.mjs";

const claim = (name, text, file, why) => ({
  name,
  claim: text,
  files: [file],
  expected: "see the file",
  run: async () => untried(why),
});

const ERRORS = "docs/reference/errors.md";
const TESTED = "docs/reference/tested.md";

export const ELSEWHERE = [
  claim(
    "a token that has really expired",
    "it is answered like any other wrong token",
    ERRORS,
    "it takes a token that Azure signed, and hours",
  ),
  claim(
    "missing role",
    "a principal without a role is answered 401 PermissionDenied",
    ERRORS,
    "a role would have to be removed; if the sign-in has none, the ordinary request shows it",
  ),
  claim(
    "a role that was just assigned",
    "it needs no new token",
    "docs/design/tokens.md",
    "it would change a role",
  ),
  claim(
    "wrong tenant",
    "a token of another tenant is a 400",
    ERRORS,
    "it takes an identity in a second tenant",
  ),
  claim(
    "firewall and private endpoint",
    "a blocked network is a 403",
    ERRORS,
    "the resource's network rules would have to be changed",
  ),
  claim(
    "rate limit",
    "a 429 has retry-after and retry-after-ms",
    ERRORS,
    "it would use up the deployment's quota",
  ),
  claim(
    "content filter",
    "a blocked prompt is a 400 content_filter",
    ERRORS,
    "such prompts can get a resource blocked",
  ),
  claim(
    "revoked tokens",
    "the resource rejects a token after a revocation",
    TESTED,
    "it would sign out somebody's sessions",
  ),
  claim(
    "claims challenges",
    "a revocation is answered 401 with claims",
    "crates/tokio/src/copilot/claims_challenge.rs",
    "a policy of the tenant would have to be changed",
  ),
  claim(
    "sovereign clouds",
    "addresses and scopes of other clouds",
    TESTED,
    "set FOUNDRY_RESOURCE_URL to one there",
  ),
  claim(
    "other hosts",
    "Service Fabric, Azure Arc, Azure Machine Learning, Kubernetes: their identity endpoints",
    "docs/guides/credentials.md",
    "run it on such a host: the sign-in shows whether its credential works",
  ),
];
