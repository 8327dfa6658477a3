// A developer's machine, where `az` takes a second to start.

import { describe, expect, test } from "vitest";
import { CREDENTIAL_ITSELF, OURS, reportOf } from "./support.js";

interface Found {
  tokens: string[];
  starts: number;
  command: string;
}

describe.concurrent.each([
  ["AzureCliCredential", "AzureCliCredential"],
  ["DefaultAzureCredential with AZURE_TOKEN_CREDENTIALS=dev", "DefaultAzureCredential"],
])("ten model requests with %s", (_name, credential) => {
  test.each([
    ["ours: az is started once", OURS, 1],
    [
      "the credential itself, as the Copilot SDK's documentation shows it: az is started ten times",
      CREDENTIAL_ITSELF,
      10,
    ],
  ])("%s", async (_name, system, starts) => {
    const found = await reportOf<Found>("developer", system, credential);
    expect(found).toEqual({
      tokens: ["opaque-token-of-az"],
      starts,
      command: expect.stringMatching(/^account get-access-token .*--resource https:\/\/ai\.azure\.com/),
    });
  });
});
