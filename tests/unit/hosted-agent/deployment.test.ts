// Checks that the files of examples/hosted-agent agree with each other, with the library and with
// their page. There is neither Docker nor a Bicep compiler: a grammar of the language parses Bicep.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { all, parsed } from "../../support/bicep.js";
import { root } from "../../support/process.js";

const FOLDER = join(root, "examples/hosted-agent");
const read = (name: string) => readFileSync(join(FOLDER, name), "utf8");
const readme = read("README.md");
const files = Object.fromEntries(
  readdirSync(join(FOLDER, "infra"))
    .filter((name) => name.endsWith(".bicep"))
    .map((name) => [name, parsed(read(`infra/${name}`))]),
);
const bicep = Object.values(files)
  .map(({ text }) => text)
  .join("\n");
const azure = parse(read("azure.yaml"));
const [[name, service]] = Object.entries(azure.services) as [[string, Record<string, never>]];
const agent = parse(read("agent.yaml"));

test("azure.yaml and agent.yaml describe one agent, with the protocols that it answers", () => {
  expect(Object.keys(azure.services)).toEqual([agent.name]);
  expect(service).toMatchObject({
    name,
    host: "azure.ai.agent",
    language: "docker",
    docker: { remoteBuild: true },
    kind: agent.kind,
    description: agent.description,
    protocols: agent.protocols,
    container: { resources: agent.resources },
  });
  expect(agent.protocols).toEqual([
    { protocol: "invocations", version: "2.0.0" },
    { protocol: "responses", version: "2.0.0" },
  ]);
  expect(azure.name).toBe(JSON.parse(read("package.json")).name);
  expect(azure.infra).toEqual({ provider: "bicep", path: "./infra" });
});

test("the variables are ones that the library reads, and none that the platform reserves", () => {
  const variables = readFileSync(join(root, "src/environment/variable.rs"), "utf8");
  const names = Object.keys(service.env ?? {});
  expect(names).toEqual(agent.environment_variables.map(({ name }: { name: string }) => name));
  for (const one of names) {
    expect(variables).toContain(`"${one}"`);
    expect(one).not.toMatch(/^(FOUNDRY_|AGENT_)/);
    // The template's outputs become variables of azd.
    expect(bicep).toMatch(new RegExp(`^output ${one} string`, "m"));
  }
});

test("the image is built for the platform, from a file that exists, and serves its port", () => {
  const dockerfile = read("Dockerfile");
  expect(dockerfile).toMatch(/^FROM --platform=linux\/amd64 node:22-/m);
  expect(dockerfile).toMatch(/^EXPOSE 8088$/m);
  expect(JSON.parse(/^CMD (.+)$/m.exec(dockerfile)?.[1] ?? "")).toEqual(["node", "server.mjs"]);
  for (const [, file] of read(".dockerignore").matchAll(/^!(.+)$/gm))
    expect(dockerfile).toMatch(new RegExp(`^COPY .*${file?.replaceAll(/[.*]/g, "\\$&")}`, "m"));
  // The build fails without the runtime, which is an optional package of the SDK.
  const [, runtime = ""] = /test -d node_modules\/(\S+)/.exec(dockerfile) ?? [];
  const sdk = readFileSync(join(root, "node_modules/@github/copilot-sdk/package.json"), "utf8");
  expect(Object.keys(JSON.parse(sdk).optionalDependencies)).toContain(runtime);
  const { engines, main, dependencies } = JSON.parse(read("package.json"));
  expect([engines.node, main]).toEqual([">=22.12.0", "server.mjs"]);
  const { version, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(dependencies).toEqual({
    "@azure/identity": devDependencies["@azure/identity"],
    "@github/copilot-sdk": devDependencies["@github/copilot-sdk"],
    "copilot-keyless": `^${version}`,
  });
});

test("every Bicep file can be parsed; names are declared and used; modules get their parameters", () => {
  expect(Object.keys(files).toSorted()).toEqual(["main.bicep", "project.bicep"]);
  for (const [file, node] of Object.entries(files)) {
    expect([file, node.hasError]).toEqual([file, false]);
    const text = node.text.replace(/^\s*\/\/.*$/gm, "");
    for (const [, word] of text.matchAll(/^(?:param|var) (\w+)/gm))
      expect([file, word, text.split(new RegExp(`\\b${word}\\b`)).length > 2]).toEqual([file, word, true]);
  }
  const [module] = all("module_declaration", files["main.bicep"] as never);
  const given = [...(module?.text.matchAll(/^ {4}(\w+):/gm) ?? [])].map(([, word]) => word);
  const wanted = [...(files["project.bicep"]?.text.matchAll(/^param (\w+)/gm) ?? [])].map(([, word]) => word);
  expect(given.toSorted()).toEqual(wanted.toSorted());
  const { parameters } = JSON.parse(read("infra/main.parameters.json"));
  for (const one of Object.keys(parameters)) expect(files["main.bicep"]?.text).toContain(`param ${one} `);
});

test("there are no keys, and the page lists the roles", () => {
  expect(bicep).toContain("disableLocalAuth: true");
  expect(bicep).toContain("adminUserEnabled: false");
  expect(bicep).not.toMatch(/listKeys|ApiKey|@secure/);
  const assigned = [...bicep.matchAll(/^var (\w+) = '([\da-f-]{36})'$/gm)].map(([, role, id]) => [
    id,
    role?.toLowerCase(),
  ]);
  const listed = [...readme.matchAll(/^\| ([\w ]+) \| `([\da-f-]{36})` \|/gm)].map(([, role, id]) => [
    id,
    role?.replaceAll(" ", "").toLowerCase(),
  ]);
  expect(assigned).toHaveLength(3);
  expect(listed.toSorted()).toEqual(assigned.toSorted());
  for (const file of ["server.mjs", "Dockerfile", ".dockerignore", "azure.yaml", "agent.yaml", "infra/"])
    expect(readme).toContain(`\`${file}\``);
});
