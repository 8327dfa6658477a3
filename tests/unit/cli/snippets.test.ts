// The output of `config --format` leads to the same provider in every format.

import { type PlannedConfig, planProvider } from "copilot-keyless/core";
import { describe, expect, test } from "vitest";
import { snippets } from "../../../js/cli/snippets.js";

const ENDPOINT = "https://myres.openai.azure.com";

/** Options of providers whose snippets differ. */
const PROVIDERS = {
  "a model": { model: "gpt-5.5" },
  "a deployment of another name": { model: "gpt-5.5", deployment: "team-gpt" },
  "chat completions, with limits": {
    model: "gpt-5.5",
    wireApi: "completions",
    maxPromptTokens: 9_000,
    maxOutputTokens: 900,
  },
  "a dated API": { model: "gpt-5.5", apiVersion: "2025-04-01-preview" },
  "another scope": { model: "gpt-5.5", scope: "api://0f2b1c0a-0000-4000-8000-000000000001/.default" },
} as const;

const code = (options: object, format: string): string => {
  const plan = planProvider({ endpoint: ENDPOINT, env: {}, ...options });
  return snippets(plan, undefined).find(({ id }) => id === format)?.code ?? "";
};

/** Simple fields and the dated API version, which a snippet must contain. */
const fieldsOf = ({ azure, ...config }: PlannedConfig): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(config).filter(([, value]) => typeof value !== "object")),
  ...(azure && { apiVersion: azure.apiVersion }),
});

/** The pattern of a field in each language, within the provider's part of the snippet. */
const LANGUAGES: Record<string, { provider: RegExp; field: RegExp }> = {
  typescript: { provider: /provider: \{\n(.*?)\n {2}\},/s, field: /(\w+): (".*?"|\d+)/g },
  python: { provider: /ProviderConfig\(\n(.*?)\n\)/s, field: /"?(\w+)"?(?:=|: )(".*?"|\d+)/g },
  csharp: { provider: /new ProviderConfig\n(.*?)\n {4}\}/s, field: /(\w+) = (".*?"|\d+)/g },
  go: { provider: /ProviderConfig\{\n(.*?)\n\t\t\},/s, field: /(\w+): (".*?"|\d+)/g },
  java: { provider: /new ProviderConfig\(\)\n(.*?);/s, field: /\.set(\w+)\((".*?"|\d+)\)/g },
};

/** Returns a field's name in the Copilot SDK for JavaScript. */
function camelCase(name: string): string {
  const words = name
    .replace(/(URL|ID|API)(?=[A-Z]|$)/g, (initials) => initials[0] + initials.slice(1).toLowerCase())
    .replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return words.slice(0, 1).toLowerCase() + words.slice(1);
}

describe.each(Object.entries(PROVIDERS))("%s", (_, options) => {
  const plan = planProvider({ endpoint: ENDPOINT, env: {}, ...options });

  test.each(Object.entries(LANGUAGES))(
    "%s holds every field of the provider",
    (format, { provider, field }) => {
      const text = code(options, format);
      const found = [...(provider.exec(text)?.[1] ?? "").matchAll(field)].map(([, name = "", value = ""]) => [
        camelCase(name),
        JSON.parse(value),
      ]);
      expect(Object.fromEntries(found)).toEqual(fieldsOf(plan.config));
      expect(text).toContain(JSON.stringify(plan.model));
      expect(text).toContain(JSON.stringify(plan.scope));
    },
  );

  test("the environment leads to the same requests, without a warning", () => {
    const env = Object.fromEntries(
      [...code(options, "env").matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    );
    const again = planProvider({ env });
    expect(again.warnings).toEqual([]);
    expect(again.scope).toBe(plan.scope);
    expect(again.model).toBe(plan.config.wireModel ?? plan.model);
    // No variable sets an API version, so its provider type must be set in code.
    if (plan.config.type === "openai") expect(again.config.baseUrl).toBe(plan.config.baseUrl);
  });

  test("the role is the one that the endpoint needs", () => {
    expect(code(options, "role")).toContain("az role assignment create --assignee <object-id>");
  });
});
