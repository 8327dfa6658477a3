import type { ProviderPlan } from "../../wasm/types/provider.js";
import { type Code, fields, indent, PROMPT, quoteRust as quote, snake } from "./text.js";

/** Fields whose texts can be long; constants hold them. */
const CONSTANTS: Record<string, string> = { baseUrl: "BASE_URL", modelId: "MODEL", wireModel: "DEPLOYMENT" };

/** Formatted as `rustfmt` does. */
export function rust({ config, model, scope }: ProviderPlan): Code {
  const constants = [
    constant("BASE_URL", config.baseUrl),
    constant("MODEL", model),
    ...(config.wireModel ? [constant("DEPLOYMENT", config.wireModel)] : []),
    ...(scope ? [constant("SCOPE", scope)] : []),
  ];
  const field = (name: string, value: string) => {
    if (name === "baseUrl") return "";
    const owned = value.startsWith('"') ? `${CONSTANTS[name] ?? value}.into()` : value;
    return `provider.${name === "type" ? "provider_type" : snake(name)} = Some(${owned});`;
  };
  const dated = (version: string) =>
    `let mut azure = AzureProviderOptions::default();\nazure.api_version = Some(${quote(version)}.into());\nprovider.azure = Some(azure);`;
  const provider = [
    "fn provider() -> Result<ProviderConfig, Box<dyn Error>> {",
    ...indent("    ", [
      "let mut provider = ProviderConfig::new(BASE_URL);",
      ...fields(config, field, quote, dated).filter((line) => line !== ""),
      ...(scope
        ? [
            "let tokens = TokenProvider::for_scope(SCOPE)?;",
            "provider.bearer_token_provider = Some(Arc::new(tokens));",
          ]
        : []),
      "Ok(provider)",
    ]),
    "}",
  ];
  const uses = (others: readonly string[], types: readonly string[], own: readonly string[] = []) => [
    "use std::error::Error;",
    ...(scope ? ["use std::sync::Arc;"] : []),
    "",
    ...(scope ? [`use copilot_keyless_tokio::${list(["TokenProvider", ...own])};`] : []),
    `use github_copilot_sdk::types::${list([...(config.azure ? ["AzureProviderOptions"] : []), "ProviderConfig", ...types])};`,
    ...others,
    "",
  ];
  return {
    program: [
      `// Install: cargo add github-copilot-sdk${scope ? " copilot-keyless-tokio" : ""} tokio --features ${scope ? "copilot-keyless-tokio/copilot," : ""}tokio/macros,tokio/rt-multi-thread`,
      "// Run: cargo run",
      "",
      ...uses(
        ["use github_copilot_sdk::{Client, ClientOptions};"],
        ["SessionConfig"],
        scope ? ["without_secrets"] : [],
      ),
      ...constants,
      "",
      ...provider,
      "",
      "#[tokio::main]",
      "async fn main() -> Result<(), Box<dyn Error>> {",
      ...(scope
        ? ["    // The runtime, which runs tools for the model, gets no secret of the identity."]
        : []),
      `    let client = Client::start(${scope ? "without_secrets(ClientOptions::default())" : "ClientOptions::default()"}).await?;`,
      "    let config = SessionConfig::default()",
      "        .with_model(MODEL)",
      "        .with_provider(provider()?);",
      "    let session = client.create_session(config).await?;",
      `    let answer = session.send_and_wait(${quote(PROMPT)}).await?;`,
      "    if let Some(answer) = answer {",
      '        println!("{}", answer.data["content"].as_str().unwrap_or_default());',
      "    }",
      "    session.disconnect().await?;",
      "    client.stop().await?;",
      "    Ok(())",
      "}",
    ].join("\n"),
    snippet: [
      ...uses([], []),
      ...constants,
      "",
      ...provider,
      "// SessionConfig::default().with_model(MODEL).with_provider(provider()?)",
    ].join("\n"),
  };
}

function constant(name: string, value: string): string {
  const line = `const ${name}: &str = ${quote(value)};`;
  const own = `    ${quote(value)};`;
  // rustfmt leaves a text where it is if it fits on no line.
  return line.length > 100 && own.length <= 100 ? `const ${name}: &str =\n${own}` : line;
}

/** One name as it is, several in braces. */
function list(names: readonly string[]): string {
  return names.length === 1 ? `${names[0]}` : `{${names.join(", ")}}`;
}
