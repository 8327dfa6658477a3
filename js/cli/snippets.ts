import { type ProviderPlan, roleAssignment } from "copilot-keyless/core";

/** A provider config as code to copy. Uses the Copilot SDK's names in each language. */
export interface Snippet {
  id: string;
  title: string;
  code: string;
}

/** Returns all snippets of a provider. With a token, the role command names its principal. */
export function snippets(plan: ProviderPlan, token: string | undefined): Snippet[] {
  return [
    { id: "typescript", title: "TypeScript", code: typescript(plan) },
    { id: "python", title: "Python", code: python(plan) },
    { id: "csharp", title: "C#", code: csharp(plan) },
    { id: "go", title: "Go", code: go(plan) },
    { id: "java", title: "Java", code: java(plan) },
    { id: "env", title: "Environment", code: environment(plan) },
    { id: "role", title: "Role", code: role(plan, token) },
  ];
}

function typescript({ config, model, scope }: ProviderPlan): string {
  const { azure, ...plain } = config;
  const lines = fields(plain, (name) => name, ": ", quote);
  if (azure) lines.push(`azure: { apiVersion: ${quote(azure.apiVersion)} },`);
  if (scope) lines.push("bearerTokenProvider: tokens,");
  return [
    ...(scope ? ['import { DefaultAzureCredential } from "@azure/identity";'] : []),
    'import { CopilotClient } from "@github/copilot-sdk";',
    ...(scope
      ? [
          'import { createBearerTokenProvider } from "copilot-keyless";',
          "",
          `const scope = ${quote(scope)};`,
          "const tokens = createBearerTokenProvider(new DefaultAzureCredential(), scope);",
        ]
      : [""]),
    "const client = new CopilotClient();",
    "const session = await client.createSession({",
    `  model: ${quote(model)},`,
    "  provider: {",
    ...lines.map((line) => `    ${line}`),
    "  },",
    "});",
  ].join("\n");
}

function python({ config, model, scope }: ProviderPlan): string {
  const { azure, ...plain } = config;
  const lines = fields(plain, snake, "=", quote);
  if (azure) lines.push(`azure={"api_version": ${quote(azure.apiVersion)}},`);
  if (scope) lines.push("bearer_token_provider=bearer_token,");
  return [
    ...(scope ? ["from azure.identity.aio import DefaultAzureCredential"] : []),
    "from copilot import CopilotClient",
    "from copilot.session import ProviderConfig",
    "",
    ...(scope
      ? [
          "credential = DefaultAzureCredential()",
          "",
          "",
          "async def bearer_token(args):",
          `    return (await credential.get_token(${quote(scope)})).token`,
          "",
          "",
        ]
      : []),
    "provider = ProviderConfig(",
    ...lines.map((line) => `    ${line}`),
    ")",
    "client = CopilotClient()",
    "await client.start()",
    `session = await client.create_session(model=${quote(model)}, provider=provider)`,
  ].join("\n");
}

function csharp({ config, model, scope }: ProviderPlan): string {
  const { azure, ...plain } = config;
  const lines = fields(plain, pascal, " = ", quote);
  if (azure) lines.push(`Azure = new AzureOptions { ApiVersion = ${quote(azure.apiVersion)} },`);
  if (scope)
    lines.push("BearerTokenProvider = async _ => (await credential.GetTokenAsync(scope, default)).Token,");
  return [
    ...(scope ? ["using Azure.Core;", "using Azure.Identity;"] : []),
    "using GitHub.Copilot;",
    "",
    ...(scope
      ? [
          "var credential = new DefaultAzureCredential();",
          `var scope = new TokenRequestContext([${quote(scope)}]);`,
        ]
      : []),
    "await using var client = new CopilotClient();",
    "await using var session = await client.CreateSessionAsync(new SessionConfig",
    "{",
    `    Model = ${quote(model)},`,
    "    Provider = new ProviderConfig",
    "    {",
    ...lines.map((line) => `        ${line}`),
    "    },",
    "});",
  ].join("\n");
}

function go({ config, model, scope }: ProviderPlan): string {
  const { azure, ...plain } = config;
  const lines = fields(plain, goName, ": ", quote);
  if (azure) lines.push(`Azure: &copilot.AzureProviderOptions{APIVersion: ${quote(azure.apiVersion)}},`);
  if (scope) lines.push("BearerTokenProvider: bearerToken,");
  return [
    "package main",
    "",
    "import (",
    '\t"context"',
    '\t"log"',
    "",
    ...(scope
      ? [
          '\t"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"',
          '\t"github.com/Azure/azure-sdk-for-go/sdk/azidentity"',
        ]
      : []),
    '\tcopilot "github.com/github/copilot-sdk/go"',
    ")",
    "",
    "func main() {",
    "\tctx := context.Background()",
    ...(scope
      ? [
          "\tcredential, err := azidentity.NewDefaultAzureCredential(nil)",
          "\tif err != nil {",
          "\t\tlog.Fatal(err)",
          "\t}",
          `\tscope := policy.TokenRequestOptions{Scopes: []string{${quote(scope)}}}`,
          "\tbearerToken := func(copilot.ProviderTokenArgs) (string, error) {",
          "\t\ttoken, err := credential.GetToken(ctx, scope)",
          "\t\treturn token.Token, err",
          "\t}",
        ]
      : []),
    "\tclient := copilot.NewClient(nil)",
    "\tdefer client.Stop()",
    "\tsession, err := client.CreateSession(ctx, &copilot.SessionConfig{",
    `\t\tModel: ${quote(model)},`,
    "\t\tProvider: &copilot.ProviderConfig{",
    ...lines.map((line) => `\t\t\t${line}`),
    "\t\t},",
    "\t})",
    "\tif err != nil {",
    "\t\tlog.Fatal(err)",
    "\t}",
    "\tdefer session.Disconnect()",
    "}",
  ].join("\n");
}

function java({ config, model, scope }: ProviderPlan): string {
  const { azure, ...plain } = config;
  const calls = fields(plain, (name) => `.set${pascal(name)}`, "(", quote).map((line) =>
    line.replace(/,$/, ")"),
  );
  if (azure) calls.push(`.setAzure(new AzureOptions().setApiVersion(${quote(azure.apiVersion)}))`);
  if (scope)
    calls.push(
      ".setBearerTokenProvider(args -> credential.getToken(scope).map(AccessToken::getToken).toFuture())",
    );
  return [
    ...(scope
      ? [
          "import com.azure.core.credential.AccessToken;",
          "import com.azure.core.credential.TokenRequestContext;",
          "import com.azure.identity.DefaultAzureCredentialBuilder;",
        ]
      : []),
    "import com.github.copilot.CopilotClient;",
    ...(azure ? ["import com.github.copilot.rpc.AzureOptions;"] : []),
    "import com.github.copilot.rpc.ProviderConfig;",
    "import com.github.copilot.rpc.SessionConfig;",
    "",
    ...(scope
      ? [
          "var credential = new DefaultAzureCredentialBuilder().build();",
          `var scope = new TokenRequestContext().addScopes(${quote(scope)});`,
        ]
      : []),
    "var provider = new ProviderConfig()",
    ...calls.map((call, index) => `    ${call}${index === calls.length - 1 ? ";" : ""}`),
    "try (var client = new CopilotClient()) {",
    `    var session = client.createSession(new SessionConfig().setModel(${quote(model)}).setProvider(provider)).get();`,
    "}",
  ].join("\n");
}

function environment({ endpoint, config, model, scope, sources }: ProviderPlan): string {
  return [
    `export FOUNDRY_RESOURCE_URL=${endpoint.baseUrl}`,
    // The environment holds one name: two would conflict, and requests need the deployment's.
    ...(config.wireModel
      ? [`# a deployment of ${model}; to use its limits, pass model and deployment in code`]
      : []),
    `export FOUNDRY_MODEL_NAME=${config.wireModel ?? model}`,
    ...(scope && sources.scope !== "default" ? [`export FOUNDRY_TOKEN_SCOPE=${scope}`] : []),
    "# on your machine, after az login; in Azure: ManagedIdentityCredential",
    "export AZURE_TOKEN_CREDENTIALS=dev",
  ].join("\n");
}

function role({ endpoint }: ProviderPlan, token: string | undefined): string {
  const { role, command } = roleAssignment({ endpoint, token });
  return `# ${role}; its id stays the same if it is renamed\n${command}`;
}

/** Formats the string and number fields of a config, one per line. */
function fields(
  config: object,
  spell: (name: string) => string,
  assign: string,
  text: (value: string) => string,
): string[] {
  return Object.entries(config).flatMap(([name, value]) =>
    typeof value === "string" || typeof value === "number"
      ? [`${spell(name)}${assign}${typeof value === "string" ? text(value) : value},`]
      : [],
  );
}

/**
 * Quotes a string. For the characters that the core allows in a config, JSON's escapes are valid in
 * all these languages.
 */
function quote(value: string): string {
  return JSON.stringify(value);
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function pascal(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

/** Converts a name to Go, which writes initialisms in capitals. */
function goName(name: string): string {
  return pascal(name).replace(/Url$|Id$|Api$/, (initials) => initials.toUpperCase());
}
