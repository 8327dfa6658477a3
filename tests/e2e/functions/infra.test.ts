// Checks the deployment as far as possible without Azure: parses every Bicep file with a grammar of
// the language, and looks for the important settings. It uses neither the Bicep compiler nor a real
// deployment.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Node } from "web-tree-sitter";
import { all, parsed } from "../../support/bicep.js";
import { root } from "../../support/process.js";
import { APP } from "./support.js";

const INFRA = join(APP, "infra");
const names = readdirSync(INFRA).filter((name) => name.endsWith(".bicep"));

const files = Object.fromEntries(
  names.map((name) => [name, parsed(readFileSync(join(INFRA, name), "utf8"))]),
);

/**
 * The resources of all files: type without version, and declaration without comments and spaces.
 */
const resources = Object.values(files).flatMap((file) =>
  all("resource_declaration", file).map((node) => {
    for (const comment of all("comment", node)) expect(comment.text).toMatch(/^\/\//);
    const text = node.text.replace(/^\s*\/\/.*$/gm, "").replace(/\s+/g, " ");
    return { type: /'([^'@]+)@?[^']*'/.exec(text)?.[1] ?? "", text };
  }),
);
const of = (type: string) => resources.filter((resource) => resource.type === type).map(({ text }) => text);

test("every Bicep file can be parsed, and the parser notices what cannot", () => {
  expect(names.toSorted()).toEqual(["app.bicep", "foundry.bicep", "main.bicep"]);
  for (const [name, file] of Object.entries(files)) expect([name, file.hasError]).toEqual([name, false]);
  expect(parsed("resource x 'a@1' = {\n  name: \n}").hasError).toBe(true);
});

test("every parameter and variable is used, and every name is declared", () => {
  for (const [name, file] of Object.entries(files)) {
    const text = readFileSync(join(INFRA, name), "utf8").replace(/^\s*\/\/.*$/gm, "");
    const declared = [...text.matchAll(/^(?:param|var) (\w+)/gm)].map(([, word]) => word as string);
    for (const word of declared)
      expect([name, word, text.split(new RegExp(`\\b${word}\\b`)).length > 2]).toEqual([name, word, true]);
    expect(all("ERROR", file)).toEqual([]);
  }
});

test("modules get exactly their parameters", () => {
  for (const module of all("module_declaration", files["main.bicep"] as Node)) {
    const file = /'(\w+\.bicep)'/.exec(module.text)?.[1] ?? "";
    const wanted = [...(files[file] as Node).text.matchAll(/^param (\w+)/gm)].map(([, word]) => word);
    const params = /params: \{(.*?)\n {2}\}/s.exec(module.text)?.[1] ?? "";
    const given = [...params.matchAll(/^\s+(\w+):/gm)].map(([, word]) => word);
    expect(given.toSorted()).toEqual(wanted.toSorted());
  }
  const { parameters } = JSON.parse(readFileSync(join(INFRA, "main.parameters.json"), "utf8"));
  for (const name of Object.keys(parameters))
    expect((files["main.bicep"] as Node).text).toContain(`param ${name} `);
});

test("the model's resource takes tokens, and no keys", () => {
  const [account, ...others] = of("Microsoft.CognitiveServices/accounts");
  expect(others).toEqual([]);
  expect(account).toContain("disableLocalAuth: true");
  expect(account).toMatch(/customSubDomainName: 'aif-\$\{suffix\}'/);
  expect(of("Microsoft.CognitiveServices/accounts/deployments")).toHaveLength(1);
  // The app receives the address of this resource.
  expect((files["main.bicep"] as Node).text).toMatch(/'https:\/\/aif-\$\{suffix\}\.openai\.azure\.com'/);
});

test("the roles are those of the diagnosis, by GUID, for the app and for the developer", () => {
  const { text } = files["foundry.bicep"] as Node;
  const roles = Object.fromEntries(
    [...text.matchAll(/^var (\w+) = '([\da-f-]{36})'$/gm)].map(([, name, id]) => [name, id]),
  );
  const known = readFileSync(join(root, "src/diagnosis/request_details.rs"), "utf8");
  expect(Object.keys(roles)).toEqual(["cognitiveServicesOpenAIUser", "foundryUser"]);
  for (const id of Object.values(roles)) expect(known).toContain(id);
  const assignments = resources.filter(({ type }) => type === "Microsoft.Authorization/roleAssignments");
  expect(assignments.map(({ text: said }) => /resource (\w+)/.exec(said)?.[1]).toSorted()).toEqual([
    "appMayUse",
    "conversationsRole",
    "developerMayUse",
    "insightsRole",
    "storageRoles",
  ]);
  for (const { text: said } of assignments) {
    expect(said).toContain("subscriptionResourceId('Microsoft.Authorization/roleDefinitions'");
    expect(said).toMatch(/principalType: '(ServicePrincipal|User)'/);
    expect(said).toMatch(/scope: (account|storage|insights|conversations)/);
  }
});

test("storage and monitoring are reached by the identity only", () => {
  expect(of("Microsoft.Storage/storageAccounts")[0]).toContain("allowSharedKeyAccess: false");
  expect(of("Microsoft.Storage/storageAccounts")[0]).toContain("allowBlobPublicAccess: false");
  expect(of("Microsoft.Insights/components")[0]).toContain("DisableLocalAuth: true");
  const everything = Object.values(files)
    .map(({ text }) => text)
    .join("\n");
  expect(everything).not.toMatch(/listKeys|AccountKey|SharedAccessSignature|apiKey|@secure/i);
});

test("conversations are deleted when the app says that they are over", () => {
  expect(of("Microsoft.Storage/storageAccounts/managementPolicies")[0]).toMatch(
    /prefixMatch: \['\$\{conversations\.name\}\/'\] \} actions: \{ baseBlob: \{ delete: \{ daysAfterModificationGreaterThan: 30 /,
  );
  expect(readFileSync(join(APP, "src/main.js"), "utf8")).toContain("expireAfterDays: 30");
});

test("the app runs on Flex Consumption with its own identity, which the credential is told", () => {
  const site = of("Microsoft.Web/sites")[0] ?? "";
  expect(of("Microsoft.Web/serverfarms")[0]).toContain("name: 'FC1'");
  for (const said of [
    "type: 'UserAssigned'",
    "type: 'UserAssignedIdentity'",
    "httpsOnly: true",
    "AzureWebJobsStorage__credential: 'managedidentity'",
    "AzureWebJobsStorage__clientId: identity.properties.clientId",
    "AZURE_CLIENT_ID: identity.properties.clientId",
    "AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'",
    "FOUNDRY_RESOURCE_URL: foundryUrl",
    "CONVERSATIONS_ACCOUNT: storage.name",
    "CONVERSATIONS_CONTAINER: conversations.name",
    "'azd-service-name': 'chat'",
  ])
    expect(site).toContain(said);
  const yaml = readFileSync(join(APP, "azure.yaml"), "utf8");
  expect(yaml).toMatch(/^services:\n {2}chat:\n/m);
  expect(yaml).toContain("host: function");
});

test("the local settings hold no secret, and what is deployed leaves them out", () => {
  const { Values } = JSON.parse(readFileSync(join(APP, "local.settings.sample.json"), "utf8"));
  expect(Object.keys(Values).filter((name) => /key|secret|password/i.test(name))).toEqual([]);
  expect(readFileSync(join(APP, ".funcignore"), "utf8")).toContain("local.settings*.json");
  expect(JSON.parse(readFileSync(join(APP, "host.json"), "utf8")).version).toBe("2.0");
});
