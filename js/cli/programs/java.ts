import type { ProviderPlan } from "../../wasm/types/provider.js";
import { type Code, fields, indent, PROMPT, pascal, quote } from "./text.js";

export function java({ config, model, scope }: ProviderPlan): Code {
  const call = (name: string, value: string) => `.set${pascal(name)}(${value})`;
  const dated = (version: string) => `.setAzure(new AzureOptions().setApiVersion(${quote(version)}))`;
  const calls = [
    ...fields(config, call, quote, dated),
    ...(scope
      ? [".setBearerTokenProvider(args -> credential.getToken(scope).map(AccessToken::getToken).toFuture())"]
      : []),
  ];
  const provider = [
    "static ProviderConfig provider() {",
    ...(scope
      ? [
          "    var credential = new DefaultAzureCredentialBuilder().build();",
          `    var scope = new TokenRequestContext().addScopes(${quote(scope)});`,
        ]
      : []),
    "    return new ProviderConfig()",
    `${indent("            ", calls).join("\n")};`,
    "}",
  ];
  const imports = (names: readonly string[]) => [
    ...[
      ...(scope
        ? [
            "com.azure.core.credential.AccessToken",
            "com.azure.core.credential.TokenRequestContext",
            "com.azure.identity.DefaultAzureCredentialBuilder",
          ]
        : []),
      ...(config.azure ? ["com.github.copilot.rpc.AzureOptions"] : []),
      "com.github.copilot.rpc.ProviderConfig",
      ...names,
    ]
      .toSorted()
      .map((name) => `import ${name};`),
    "",
  ];
  return {
    program: [
      `// Install: in a Maven project, depend on com.github:copilot-sdk-java${scope ? " and com.azure:azure-identity" : ""}`,
      "// Run: mvn compile exec:java -Dexec.mainClass=App",
      "",
      ...imports([
        "com.github.copilot.CopilotClient",
        "com.github.copilot.rpc.PermissionRequestResult",
        "com.github.copilot.rpc.SessionConfig",
        "java.util.concurrent.CompletableFuture",
      ]),
      "public class App {",
      ...indent("    ", provider),
      "",
      "    public static void main(String[] args) throws Exception {",
      "        try (var client = new CopilotClient()) {",
      '            var refusal = PermissionRequestResult.reject("This program runs no tools.");',
      "            var config = new SessionConfig()",
      `                    .setModel(${quote(model)})`,
      "                    .setProvider(provider())",
      "                    .setOnPermissionRequest((request, invocation) -> CompletableFuture.completedFuture(refusal));",
      "            var session = client.createSession(config).get();",
      `            var answer = session.sendAndWait(${quote(PROMPT)}).get();`,
      "            System.out.println(answer.getData().content());",
      "        }",
      "    }",
      "}",
    ].join("\n"),
    snippet: [
      ...imports([]),
      ...provider,
      `// new SessionConfig().setModel(${quote(model)}).setProvider(provider())`,
    ].join("\n"),
  };
}
