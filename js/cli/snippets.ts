import { type ProviderPlan, roleAssignment } from "copilot-keyless/core";
import { quote } from "../platform/shell.js";
import { csharp } from "./programs/csharp.js";
import { go } from "./programs/go.js";
import { java } from "./programs/java.js";
import { python } from "./programs/python.js";
import { rust } from "./programs/rust.js";
import type { Code } from "./programs/text.js";
import { typescript } from "./programs/typescript.js";

/** A provider config as code to copy. Uses the Copilot SDK's names in each language. */
export interface Snippet {
  id: string;
  title: string;
  /** The whole program; for the environment and the role, the commands. */
  code: string;
  /** The provider alone, in a programming language. */
  snippet?: string;
}

/** Returns all snippets of a provider. With a token, the role command names its principal. */
export function snippets(plan: ProviderPlan, token: string | undefined): Snippet[] {
  const language = (id: string, title: string, { program, snippet }: Code): Snippet => ({
    id,
    title,
    code: program,
    snippet,
  });
  return [
    language("typescript", "TypeScript", typescript(plan)),
    language("python", "Python", python(plan)),
    language("csharp", "C#", csharp(plan)),
    language("go", "Go", go(plan)),
    language("java", "Java", java(plan)),
    language("rust", "Rust", rust(plan)),
    { id: "env", title: "Environment", code: environment(plan) },
    { id: "role", title: "Role", code: role(plan, token) },
  ];
}

function environment({ endpoint, config, model, scope, sources }: ProviderPlan): string {
  return [
    `export FOUNDRY_RESOURCE_URL=${quote(endpoint.baseUrl)}`,
    // The environment holds one name: two would conflict, and requests need the deployment's.
    ...(config.wireModel
      ? [`# a deployment of ${model}; to use its limits, pass model and deployment in code`]
      : []),
    `export FOUNDRY_MODEL_NAME=${quote(config.wireModel ?? model)}`,
    ...(scope && sources.scope !== "default" ? [`export FOUNDRY_TOKEN_SCOPE=${quote(scope)}`] : []),
    "# on your machine, after az login; in Azure: ManagedIdentityCredential",
    "export AZURE_TOKEN_CREDENTIALS=dev",
  ].join("\n");
}

function role({ endpoint }: ProviderPlan, token: string | undefined): string {
  const { role, command } = roleAssignment({ endpoint, token });
  return `# ${role}; its id stays the same if it is renamed\n${command}`;
}
