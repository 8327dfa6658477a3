// The output of `config --format` leads to the same provider in every format.

import { execFileSync } from "node:child_process";
import { type PlannedConfig, planProvider } from "copilot-keyless/core";
import { describe, expect, test } from "vitest";
import { quote } from "../../../js/cli/programs/text.js";
import { snippets } from "../../../js/cli/snippets.js";
import { quote as quoteForShell } from "../../../js/platform/shell.js";
import { ODD_TEXTS, PROVIDERS } from "../../support/programs.js";

const planned = (options: object) =>
  planProvider({ endpoint: "https://myres.openai.azure.com", env: {}, ...options });

const printed = (options: object, format: string) => {
  const found = snippets(planned(options), undefined).find(({ id }) => id === format);
  if (!found) throw new Error(`There is no format ${format}`);
  return found;
};

/** Simple fields and the dated API version, which a snippet must contain. */
const fieldsOf = ({ azure, ...config }: PlannedConfig): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(config).filter(([, value]) => typeof value !== "object")),
  ...(azure && { apiVersion: azure.apiVersion }),
});

/** The pattern of a field in each language, within the provider's part of the text. */
const LANGUAGES: Record<string, { provider: RegExp; field: RegExp }> = {
  typescript: {
    provider: /(?:provider: |ProviderConfig = )\{\n(.*?)\n *\}[,;]\n/s,
    field: /(\w+):\s+(".*?"|\d+)/g,
  },
  python: { provider: /ProviderConfig\(\n(.*?)\n\)/s, field: /"?(\w+)"?(?:=|: )(".*?"|\d+)/g },
  csharp: { provider: /new ProviderConfig\n(.*?)\n\}/s, field: /(\w+) = (".*?"|\d+)/g },
  go: { provider: /ProviderConfig\{\n(.*?)\n\t\}/s, field: /(\w+): +(".*?"|\d+)/g },
  java: { provider: /new ProviderConfig\(\)\n(.*?);\n/s, field: /\.set(\w+)\((".*?"|\d+)\)/g },
};

/** Reads the request of a Rust program: texts, numbers, and members of enumerations. */
function requestOf(text: string): Record<string, unknown> {
  const constants = Object.fromEntries(
    [...text.matchAll(/^const (\w+): &str =\s+(".*");$/gm)].map(([, name, value = ""]) => [name, value]),
  );
  const request = /ProviderRequest \{\n(.*?)\n {4}\};/s.exec(text)?.[1] ?? "";
  const fields = [...request.matchAll(/(\w+): Some\((?:(".*?"|[A-Z_]+)\.into\(\)|\w+::(\w+)|(\d+))\)/g)];
  return Object.fromEntries(
    fields.map(([, name = "", words = "", member, count]) => [
      name === "provider_type" ? "type" : camelCase(name),
      member?.toLowerCase() ?? JSON.parse(count ?? constants[words] ?? words),
    ]),
  );
}

/** Returns a field's name in the Copilot SDK for JavaScript. */
function camelCase(name: string): string {
  const words = name
    .replace(/(URL|ID|API)(?=[A-Z]|$)/g, (initials) => initials[0] + initials.slice(1).toLowerCase())
    .replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return words.slice(0, 1).toLowerCase() + words.slice(1);
}

describe.each(Object.entries(PROVIDERS))("%s", (_, options) => {
  const plan = planned(options);

  test.each(Object.entries(LANGUAGES))(
    "%s holds every field of the provider, as a program and as a snippet",
    (format, { provider, field }) => {
      const { code, snippet } = printed(options, format);
      for (const text of [code, snippet ?? ""]) {
        const part = provider.exec(text)?.[1] ?? "";
        const found = [...part.matchAll(field)].map(([, name = "", value = ""]) => [
          camelCase(name),
          JSON.parse(value),
        ]);
        expect(Object.fromEntries(found)).toEqual(fieldsOf(plan.config));
        expect(text).toContain(JSON.stringify(plan.model));
        if (plan.scope) expect(text).toContain(JSON.stringify(plan.scope));
        expect(/bearer_?token/i.test(text)).toBe(plan.scope !== undefined);
      }
      expect(code).toMatch(/^(#|\/\/) Install: .*\n\1 Run: .*\n\n/);
      expect(snippet).not.toContain("Install:");
    },
  );

  test("rust requests the same provider, as a program and as a snippet", () => {
    const { code, snippet = "" } = printed(options, "rust");
    for (const text of [code, snippet]) {
      const again = planned({ endpoint: undefined, ...requestOf(text) });
      expect([again.config, again.model, again.scope]).toEqual([plan.config, plan.model, plan.scope]);
    }
    expect(code).toMatch(/^\/\/ Install: .*\n\/\/ Run: .*\n\n/);
    expect(snippet).not.toContain("Install:");
  });

  test("the environment leads to the same requests, and warns of nothing else", () => {
    const env = Object.fromEntries(
      [...printed(options, "env").code.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [
        name,
        value,
      ]),
    );
    const again = planProvider({ env });
    expect(again.warnings).toEqual(plan.warnings);
    expect(again.scope).toBe(plan.scope);
    expect(again.model).toBe(plan.config.wireModel ?? plan.model);
    // No variable sets an API version, so its provider type must be set in code.
    if (plan.config.type === "openai") expect(again.config.baseUrl).toBe(plan.config.baseUrl);
  });

  test("the role is the one that the endpoint needs", () => {
    expect(printed(options, "role").code).toContain("az role assignment create --assignee <object-id>");
  });
});

test.each(ODD_TEXTS)("TypeScript reads the quoted text %j as it was", (text) => {
  // What is an escape in JSON is one in TypeScript.
  expect(JSON.parse(quote(text))).toBe(text);
});

test.each(ODD_TEXTS.filter((text) => !text.includes("\0")))(
  "a shell reads the quoted text %j as it was",
  (text) => {
    expect(execFileSync("sh", ["-c", `printf %s ${quoteForShell(text)}`], { encoding: "utf8" })).toBe(text);
  },
);

test("the program for C#, whose SDK no test has, is this", () => {
  expect(printed({ model: "gpt-5.5", deployment: "team-gpt" }, "csharp").code).toMatchInlineSnapshot(`
    "// Install: dotnet new console && dotnet add package GitHub.Copilot.SDK && dotnet add package Azure.Identity
    // Run: dotnet run (this text is Program.cs)

    using Azure.Core;
    using Azure.Identity;
    using GitHub.Copilot;

    var credential = new DefaultAzureCredential();
    var scope = new TokenRequestContext(["https://ai.azure.com/.default"]);
    var provider = new ProviderConfig
    {
        Type = "openai",
        WireApi = "responses",
        BaseUrl = "https://myres.openai.azure.com/openai/v1/",
        ModelId = "gpt-5.5",
        WireModel = "team-gpt",
    #pragma warning disable GHCP001 // experimental
        BearerTokenProvider = async _ => (await credential.GetTokenAsync(scope, default)).Token,
    #pragma warning restore GHCP001
    };
    await using var client = new CopilotClient();
    await using var session = await client.CreateSessionAsync(new SessionConfig
    {
        Model = "gpt-5.5",
        Provider = provider,
    });
    var answer = await session.SendAndWaitAsync("Say hello in one sentence.");
    Console.WriteLine(answer?.Data.Content);"
  `);
});
