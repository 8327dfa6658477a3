// Tests planning without requests: the provider, the token and the role.

import { checkToken, KeylessError, planProvider, roleAssignment } from "copilot-keyless/core";
import { describe, expect, test } from "vitest";

const NOW = Date.UTC(2026, 10, 21, 12);
const OBJECT_ID = "6fb5e9a1-2f7c-4a53-9d6c-a07f2b1d3e44";

function token(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`;
}

test("planProvider plans without a credential and reads no environment but the given", () => {
  process.env.FOUNDRY_MODEL_NAME = "from-the-process";
  const { config, model, scope, sources } = planProvider({ endpoint: "myres.openai.azure.com", env: {} });
  delete process.env.FOUNDRY_MODEL_NAME;
  expect(config).toEqual({
    type: "openai",
    wireApi: "responses",
    baseUrl: "https://myres.openai.azure.com/openai/v1/",
  });
  expect({ model, scope, source: sources.model }).toEqual({
    model: "gpt-5.5",
    scope: "https://ai.azure.com/.default",
    source: "default",
  });
  expect(() => planProvider({ endpoint: "https://<my-resource>.openai.azure.com" })).toThrow(KeylessError);
});

describe("checkToken", () => {
  const endpoint = "https://myres.openai.azure.com";
  const good = { aud: "https://ai.azure.com/", exp: NOW / 1000 + 60, nbf: NOW / 1000 - 300 };

  test.each<[string, object, string | undefined]>([
    ["good", {}, undefined],
    ["the other audience", { aud: "https://cognitiveservices.azure.com" }, undefined],
    ["the audience's id", { aud: "18a66f5f-dbdf-4c17-9dd7-1634712a9cbe" }, undefined],
    ["another audience", { aud: "https://management.azure.com" }, "wrong-audience"],
    ["expired to the millisecond", { exp: NOW / 1000 }, "token-expired"],
    ["not valid yet", { nbf: NOW / 1000 + 301 }, "token-invalid"],
    ["not valid yet by a clock that is a little off", { nbf: NOW / 1000 + 299 }, undefined],
  ])("%s", (_name, claims, code) => {
    const found = checkToken({ endpoint, token: token({ ...good, ...claims }), now: NOW });
    expect(found?.code).toBe(code);
    expect(found?.fixes.length ?? 1).toBeGreaterThan(0);
  });

  test("without an endpoint, or with one whose audience nobody knows, only its times count", () => {
    const foreign = token({ ...good, aud: "api://team" });
    expect(checkToken({ token: foreign, now: NOW })).toBeUndefined();
    expect(checkToken({ endpoint: "https://gw.azure-api.net", token: foreign, now: NOW })).toBeUndefined();
    expect(checkToken({ token: token({ ...good, exp: 1 }), now: NOW })?.code).toBe("token-expired");
  });

  test("an opaque token has nothing that could be wrong", () => {
    expect(checkToken({ endpoint, token: "opaque", now: NOW })).toBeUndefined();
    expect(
      checkToken({ endpoint, token: { token: token(good), expiresOnTimestamp: NOW }, now: NOW }),
    ).toBeUndefined();
  });
});

describe("roleAssignment", () => {
  test.each([
    [
      "https://myres.openai.azure.com",
      "Cognitive Services OpenAI User",
      "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
    ],
    ["https://myres.services.ai.azure.com", "Foundry User", "53ca6127-db72-4b80-b1b0-d745d6d5456d"],
    [
      "https://myres.cognitiveservices.azure.com",
      "Cognitive Services User",
      "a97b65f3-24c7-4388-baec-2e87135dc908",
    ],
  ])("%s", (endpoint, role, roleId) => {
    const found = roleAssignment({ endpoint, token: token({ oid: OBJECT_ID }) });
    expect(found).toMatchObject({ role, roleId });
    expect(found.command).toContain(
      `--assignee ${OBJECT_ID} --role ${roleId} --scope "$(az cognitiveservices`,
    );
  });

  test("unknown values are placeholders, and a claim that is not an id does not reach a command", () => {
    expect(roleAssignment({}).command).toContain("--assignee <object-id> --role");
    const evil = token({ oid: "$(rm -rf ~)" });
    expect(roleAssignment({ endpoint: "https://gw.azure-api.net", token: evil }).command).toBe(
      "az role assignment create --assignee <object-id> --role a97b65f3-24c7-4388-baec-2e87135dc908 --scope <resource-id>",
    );
  });
});
