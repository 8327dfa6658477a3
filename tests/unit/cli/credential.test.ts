// How `config` and `doctor` tell the credential and its host.

import { createFoundryProvider } from "copilot-keyless";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, expect, test } from "vitest";
import { describeCredential } from "../../../js/cli/credential.js";

const emulator = await startEmulator();
afterAll(() => emulator.stop());

test.each([
  ["foundryHostedAgent", "managed identity (user-assigned), on a Foundry hosted agent"],
  ["githubActions", "OIDC token of the job, on GitHub Actions"],
  ["azurePipelines", "OIDC token of the job, on Azure Pipelines"],
  ["machineLearning", "DefaultAzureCredential, whole chain, on Azure Machine Learning"],
] as const)("%s: %s", (host, text) => {
  using foundry = createFoundryProvider({ env: emulator.hosts[host] });
  expect(describeCredential(foundry.credential)).toBe(text);
});
