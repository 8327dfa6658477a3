// The environment that `run` gives to its command.

import { expect, test } from "vitest";
import { environmentOfChild } from "../../../js/cli/run.js";

const gateway = { url: "http://127.0.0.1:4141", key: "ckg-key", model: "gpt-5.5" };

const SECRETS = [
  "AZURE_CLIENT_SECRET",
  "AZURE_OPENAI_AD_TOKEN",
  "AZURE_AD_TOKEN",
  "AZURE_FEDERATED_TOKEN",
  "AZURE_FEDERATED_TOKEN_FILE",
  "AZURE_CREDENTIALS",
  "ARM_CLIENT_SECRET",
  "ARM_OIDC_TOKEN",
  "ARM_OIDC_REQUEST_TOKEN",
  "servicePrincipalKey",
  "idToken",
  "AZURE_OPENAI_KEY",
  "AZURE_OPENAI_API_KEY",
  "AZURE_API_KEY",
  "AZURE_AI_API_KEY",
  "FOUNDRY_API_KEY",
  "ANTHROPIC_FOUNDRY_API_KEY",
  "AZURE_INFERENCE_CREDENTIAL",
  "COPILOT_KEYLESS_GATEWAY_KEY",
];

test("of an environment full of secrets the command gets none, in any case of letters", () => {
  const names = SECRETS.flatMap((name) => [name, name.toUpperCase(), name.toLowerCase()]);
  const env = Object.fromEntries(names.map((name) => [name, "pl4nted"]));
  const seen = environmentOfChild({ ...env, OWN: "kept" }, gateway);
  expect(seen.OWN).toBe("kept");
  expect(Object.values(seen)).not.toContain("pl4nted");
});

test("nothing sends Claude Code elsewhere than to the gateway", () => {
  const elsewhere = ["FOUNDRY", "BEDROCK", "VERTEX"].map((name) => `CLAUDE_CODE_USE_${name}`);
  const seen = environmentOfChild(Object.fromEntries(elsewhere.map((name) => [name, "1"])), gateway);
  expect(Object.keys(seen)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^CLAUDE_CODE_USE_/)]));
  expect(seen.ANTHROPIC_BASE_URL).toBe("http://127.0.0.1:4141/anthropic");
});

test("Claude Code asks a deployment of a Claude model, and no other one", () => {
  const models = (model: string) => {
    const seen = environmentOfChild({}, { ...gateway, model });
    return [seen.ANTHROPIC_MODEL, seen.ANTHROPIC_DEFAULT_HAIKU_MODEL];
  };
  expect(models("my-claude-sonnet-5")).toEqual(["my-claude-sonnet-5", "my-claude-sonnet-5"]);
  expect(models("gpt-5.5")).toEqual([undefined, undefined]);
});
