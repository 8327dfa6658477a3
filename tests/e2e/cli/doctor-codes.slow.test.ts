// Tests every diagnosis of `copilot-keyless doctor`, each with its own process and emulator.

import type { DiagnosisCode } from "copilot-keyless";
import type { Fault } from "copilot-keyless/emulator";
import { describe, expect, test } from "vitest";
import { newcomer } from "../../support/process.js";
import { cli, emulated, expectClean, refusing } from "./support.js";

/** The faults that cause each diagnosis, and a part of its fix. */
const BROKEN: Record<
  // Nothing but a turn measures the first byte: tests/e2e/copilot/first-byte.slow.test.ts.
  Exclude<DiagnosisCode, "ok" | "first-byte-timeout">,
  { faults?: Fault[]; roles?: string[]; fix: RegExp; check?: string }
> = {
  "missing-role": {
    roles: ["Owner"],
    fix: /^ +az role assignment create --assignee [\da-f-]{36} --role 5e0bd9bd-7b93-4f28-af87-19fc36ad61bd --scope/m,
  },
  "wrong-audience": {
    faults: [{ server: "identity", kind: "wrong-audience", times: Infinity }],
    fix: /^ +export FOUNDRY_TOKEN_SCOPE=https:\/\/ai\.azure\.com\/\.default$/m,
  },
  "token-expired": {
    faults: [
      {
        server: "identity",
        kind: "expired",
        expiresOn: String(Math.floor(Date.now() / 1000) + 3_600),
        times: Infinity,
      },
    ],
    fix: /clock/,
  },
  "token-invalid": { faults: [refusing("token-invalid")], fix: /revoked/ },
  "wrong-tenant": { faults: [refusing("wrong-tenant")], fix: /az account list/ },
  "custom-subdomain-required": { faults: [refusing("custom-subdomain-required")], fix: /--custom-domain/ },
  "wrong-cloud": { faults: [refusing("wrong-cloud")], fix: /operator/ },
  "claims-challenge": { faults: [refusing("claims-challenge")], fix: /createClaimsChallengeHandler/ },
  "resource-blocked": { faults: [refusing("resource-blocked")], fix: /Stop sending requests/ },
  "resource-not-found": { faults: [refusing("resource-not-found")], fix: /account list/ },
  "unsupported-parameter": { faults: [refusing("unsupported-parameter")], fix: /Leave the parameter out/ },
  "context-length": { faults: [refusing("context-length")], fix: /Shorten the input/ },
  "encrypted-content": { faults: [refusing("encrypted-content")], fix: /Pin the session/ },
  "item-not-found": { faults: [refusing("item-not-found")], fix: /previous_response_id/ },
  "quota-exceeded": { faults: [refusing("quota-exceeded")], fix: /paid pricing tier/ },
  "gateway-page": { faults: [refusing("gateway-page")], fix: /operator of that gateway/ },
  "bad-key": { faults: [refusing("bad-key")], fix: /unset AZURE_OPENAI_API_KEY/ },
  "keys-disabled": { faults: [refusing("keys-disabled")], fix: /apiKey/ },
  firewall: { faults: [refusing("firewall")], fix: /^ +az cognitiveservices account network-rule add/m },
  "public-access-disabled": { faults: [refusing("public-access-disabled")], fix: /private endpoint/ },
  "deployment-not-found": { faults: [refusing("deployment-not-found")], fix: /account deployment list/ },
  "wrong-path": { faults: [refusing("wrong-path")], fix: /copilot-keyless config/ },
  "api-version": { faults: [refusing("api-version")], fix: /Leave apiVersion out/ },
  "operation-not-supported": { faults: [refusing("operation-not-supported")], fix: /wireApi: "completions"/ },
  "rate-limited": { faults: [refusing("rate-limited")], fix: /az cognitiveservices usage list/ },
  "content-filter": { faults: [refusing("content-filter")], fix: /Rephrase/ },
  "gateway-key": { faults: [refusing("gateway-key")], fix: /Ocp-Apim-Subscription-Key/ },
  "bad-request": {
    faults: [{ server: "foundry", kind: "status", status: 400, times: Infinity }],
    fix: /copilot-keyless config/,
  },
  "server-error": { faults: [refusing("server-error")], fix: /status\.azure\.com/ },
  network: { faults: [{ server: "foundry", kind: "reset", times: Infinity }], fix: /network|proxy|firewall/ },
  unknown: {
    faults: [
      { server: "foundry", kind: "status", status: 402, body: { message: "Pay first" }, times: Infinity },
    ],
    fix: /own words/,
  },
};

describe("each diagnosis", () => {
  test.each(Object.entries(BROKEN))("%s", async (code, { faults = [], roles, fix }) => {
    const emulator = await emulated(...faults);
    if (roles) emulator.foundry.setRoles(roles);
    const result = await cli(["doctor"], newcomer({ ...emulator.env }));
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/^✗ request +\d+(ms|s) {2}\S/m);
    expect(result.stdout).toMatch(/^- turn +not run$/m);
    expect(result.stdout).toMatch(new RegExp(`^✗ ${code}  \\S`, "m"));
    expect(result.stdout).toMatch(fix);
    expectClean(result);
  });
});
