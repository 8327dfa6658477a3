// Checks that the files of the Functions app's deployment agree with each other and with the pages
// that describe them: azure.yaml, the Bicep files, their parameters, the app and its README.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { all, parsed } from "../support/bicep.js";
import { root } from "../support/process.js";

const APP = "examples/azure-functions";
const read = (path: string) => readFileSync(join(root, path), "utf8");
const infra = Object.fromEntries(
  readdirSync(join(root, APP, "infra"))
    .filter((name) => name.endsWith(".bicep"))
    .map((name) => [name, parsed(read(`${APP}/infra/${name}`))]),
);
const bicep = Object.values(infra)
  .map(({ text }) => text)
  .join("\n");
const main = infra["main.bicep"]?.text ?? "";
const readme = read(`${APP}/README.md`);
const { parameters } = JSON.parse(read(`${APP}/infra/main.parameters.json`)) as {
  parameters: Record<string, { value: string }>;
};
const pages = ["README.md", ...readdirSync(join(root, "docs/guides")).map((name) => `docs/guides/${name}`)];

/** `cognitiveServicesOpenAIUser` and "Cognitive Services OpenAI User" are the same role. */
const bare = (name: string) => name.replaceAll(" ", "").toLowerCase();

/** The roles in a text, as id and name without spaces. */
function roles(text: string, pattern: RegExp): [string, string][] {
  return [...text.matchAll(pattern)]
    .map(([, name = "", id = ""]): [string, string] => [id, bare(name)])
    .sort();
}

const assigned = roles(bicep, /^var (\w+) = '([\da-f]{8}-[\da-f-]{27})'$/gm);

test("azure.yaml names the service and the host that the Bicep files tag and create", () => {
  const { services, name, infra: settings } = parse(read(`${APP}/azure.yaml`));
  const tags = [...bicep.matchAll(/'azd-service-name': '([\w-]+)'/g)].map(([, tag]) => tag);
  expect(Object.keys(services)).toEqual(tags);
  const { host, language, project } = services[tags[0] as string];
  expect({ name, host, language, project, settings }).toEqual({
    name: JSON.parse(read(`${APP}/package.json`)).name,
    host: "function",
    language: "js",
    project: ".",
    settings: undefined, // azd looks for infra/main.bicep and main.parameters.json
  });
  expect(bicep).toContain("kind: 'functionapp,linux'");
  const [, version] = /runtime: \{\s+name: 'node'\s+version: '(\d+)'/.exec(bicep) ?? [];
  expect(JSON.parse(read(`${APP}/package.json`)).engines.node).toMatch(new RegExp(`^>=${version}\\.`));
  expect(readme).toContain(`(Flex Consumption, Node ${version})`);
  expect(main).toContain("'azd-env-name': environmentName");
});

test("the parameters file gives what has no default, and what the README says can be set", () => {
  const declared = all("parameter_declaration", infra["main.bicep"] as never).map(({ text }) => ({
    name: /param (\w+)/.exec(text)?.[1] ?? "",
    fallback: /param \w+ \w+ = (.*)/.exec(text)?.[1]?.replaceAll("'", ""),
  }));
  expect(declared.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(parameters)));
  for (const { name, fallback } of declared) {
    const { value } = parameters[name] ?? {};
    // ${NAME=default} has the default of the Bicep file, and ${NAME} none.
    const given = value && /^\$\{\w+(?:=(.*))?\}$/.exec(value);
    if (value === undefined) expect([name, fallback]).toEqual([name, expect.any(String)]);
    else expect([name, given && (given[1] ?? null)]).toEqual([name, fallback ?? null]);
  }
  const variables = Object.values(parameters).map(({ value }) => /\w+/.exec(value)?.[0]);
  for (const [, name] of readme.matchAll(/azd env set (\w+)/g)) expect(variables).toContain(name);
  // The default model is the library's.
  const model = /DEFAULT_MODEL: &str = "(.*)"/.exec(read("src/provider/mod.rs"))?.[1];
  expect(declared.find(({ name }) => name === "modelName")?.fallback).toBe(model);
  expect(readme).toContain(`The default model, \`${model}\``);
});

test("a storage account's name is long enough, whatever the suffix", () => {
  const [, prefix = ""] =
    /name: '(\w+)\$\{suffix\}'/.exec(/resource storage .*?\n\}/s.exec(bicep)?.[0] ?? "") ?? [];
  const [, least] = /@minLength\((\d+)\)\nparam suffix string/.exec(infra["app.bicep"]?.text ?? "") ?? [];
  expect(prefix.length + Number(least)).toBeGreaterThanOrEqual(3);
});

test("the README lists the roles that are assigned, by the ids of the library", () => {
  expect(assigned).toHaveLength(7);
  expect(roles(readme, /^\| ([\w ]+) \| `([\da-f]{8}-[\da-f-]{27})` \|/gm)).toEqual(assigned);
  const known = roles(read("src/diagnosis/request_details.rs"), /"([\w ]+)",\s*"([\da-f]{8}-[\da-f-]{27})"/g);
  expect(known).toHaveLength(3);
  const ids = new Map(assigned);
  const shared = known.filter(([id]) => ids.has(id));
  expect(shared).toHaveLength(2);
  for (const [id, name] of shared) expect([id, name]).toEqual([id, ids.get(id)]);
  // Each variable is assigned.
  for (const [, name] of assigned) expect(bare(bicep).split(name).length).toBeGreaterThan(2);
});

test("the guides name a role that the app gets", () => {
  const names = new Set(assigned.map(([, name]) => name));
  const named = pages.flatMap((page) =>
    [...read(page).matchAll(/role[^.]{0,40}?_([\w\s]+)_/g)].map(([, name = ""]) => [
      page,
      name.replace(/\s+/g, " "),
    ]),
  );
  expect(named.map(([page]) => page)).toEqual(
    expect.arrayContaining(["README.md", "docs/guides/get-started.md"]),
  );
  for (const [page, name = ""] of named)
    expect([page, name, names.has(bare(name))]).toEqual([page, name, true]);
});

test("settings and outputs are names that the library reads, routes are those of the app", () => {
  const variables = read("src/environment/variable.rs");
  const outputs = [...main.matchAll(/^output (\w+) /gm)].map(([, name]) => name);
  expect(outputs).toEqual(["AZURE_LOCATION", "FOUNDRY_RESOURCE_URL", "FOUNDRY_MODEL_NAME", "CHAT_URL"]);
  const settings = [...bicep.matchAll(/^ {6}((?:FOUNDRY|AZURE)_\w+):/gm)].map(([, name]) => name);
  expect(settings).toHaveLength(4);
  for (const name of [...settings, "FOUNDRY_RESOURCE_URL", "FOUNDRY_MODEL_NAME"])
    expect(variables).toContain(`"${name}"`);
  const [, route] = /CHAT_URL string = '.*\/api\/(\w+)'/.exec(main) ?? [];
  expect(read(`${APP}/src/main.js`)).toContain(`app.http("${route}"`);
  expect(readme).toContain(`\`POST /api/${route}\``);
});
