import type { ProviderPlan } from "../../wasm/types/provider.js";
import { type Code, fields, PROMPT, pascal, quote } from "./text.js";

export function csharp({ config, model, scope }: ProviderPlan): Code {
  const field = (name: string, value: string) => `    ${pascal(name)} = ${value},`;
  const dated = (version: string) => `    Azure = new AzureOptions { ApiVersion = ${quote(version)} },`;
  const usings = [
    ...(scope ? ["using Azure.Core;", "using Azure.Identity;"] : []),
    "using GitHub.Copilot;",
    "",
  ];
  const provider = [
    ...(scope
      ? [
          "var credential = new DefaultAzureCredential();",
          `var scope = new TokenRequestContext([${quote(scope)}]);`,
        ]
      : []),
    "var provider = new ProviderConfig",
    "{",
    ...fields(config, field, quote, dated),
    ...(scope
      ? [
          "#pragma warning disable GHCP001 // experimental",
          "    BearerTokenProvider = async _ => (await credential.GetTokenAsync(scope, default)).Token,",
          "#pragma warning restore GHCP001",
        ]
      : []),
    "};",
  ];
  return {
    program: [
      `// Install: dotnet new console && dotnet add package GitHub.Copilot.SDK${scope ? " && dotnet add package Azure.Identity" : ""}`,
      "// Run: dotnet run (this text is Program.cs)",
      "",
      ...usings,
      ...provider,
      "await using var client = new CopilotClient();",
      "await using var session = await client.CreateSessionAsync(new SessionConfig",
      "{",
      `    Model = ${quote(model)},`,
      "    Provider = provider,",
      "});",
      `var answer = await session.SendAndWaitAsync(${quote(PROMPT)});`,
      "Console.WriteLine(answer?.Data.Content);",
    ].join("\n"),
    snippet: [
      ...usings,
      ...provider,
      `// client.CreateSessionAsync(new SessionConfig { Model = ${quote(model)}, Provider = provider })`,
    ].join("\n"),
  };
}
