import type { ProviderPlan } from "../../wasm/types/provider.js";
import { type Code, indent, PROMPT, pascal, quoteRust as quote } from "./text.js";

/** Formatted as `rustfmt` does. */
export function rust({ endpoint, config, model, scope }: ProviderPlan): Code {
  // They can be long, and rustfmt breaks lines.
  const constants = [
    constant("ENDPOINT", config.baseUrl),
    constant("MODEL", model),
    ...(config.wireModel ? [constant("DEPLOYMENT", config.wireModel)] : []),
    ...(scope ? [constant("SCOPE", scope)] : []),
  ];
  const { type, wireApi, transport, azure, maxPromptTokens, maxOutputTokens, maxContextWindowTokens } =
    config;
  // The runtime's default is written out only where the endpoint or the options say otherwise.
  const choices = [
    ...choice("provider_type", "ProviderType", azure || type === endpoint.type ? undefined : type),
    ...choice("wire_api", "WireApi", wireApi === "responses" ? undefined : wireApi),
    ...choice("transport", "Transport", transport),
  ];
  const request = [
    "endpoint: Some(ENDPOINT.into()),",
    "model: Some(MODEL.into()),",
    ...(config.wireModel ? ["deployment: Some(DEPLOYMENT.into()),"] : []),
    ...(scope ? ["scope: Some(SCOPE.into()),"] : []),
    ...choices.map(({ line }) => line),
    ...(azure ? [`api_version: Some(${quote(azure.apiVersion)}.into()),`] : []),
    ...number("max_prompt_tokens", maxPromptTokens),
    ...number("max_output_tokens", maxOutputTokens),
    ...number("max_context_window_tokens", maxContextWindowTokens),
    "..ProviderRequest::default()",
  ];
  const uses = (own: readonly string[]) => {
    const types = ["ProviderRequest", ...choices.map(({ name }) => name)].filter(
      (name) => name !== "ProviderType",
    );
    const isTyped = choices.some(({ name }) => name === "ProviderType");
    return [
      ...(isTyped ? ["use copilot_keyless_tokio::copilot_keyless::endpoint::ProviderType;"] : []),
      `use copilot_keyless_tokio::copilot_keyless::provider::${list(types)};`,
      `use copilot_keyless_tokio::${list(["Error", "FoundryProvider", ...own])};`,
    ];
  };
  const provider = [
    "fn foundry() -> Result<FoundryProvider, Error> {",
    "    let request = ProviderRequest {",
    ...indent("        ", request),
    "    };",
    "    FoundryProvider::builder().request(request).build()",
    "}",
  ];
  return {
    program: [
      "// Install: cargo init && cargo add github-copilot-sdk --no-default-features --features runtime && cargo add copilot-keyless-tokio tokio --features copilot-keyless-tokio/copilot,tokio/macros,tokio/rt-multi-thread",
      "// Run: cargo run (this text is src/main.rs)",
      "",
      ...uses(["without_secrets"]),
      "use github_copilot_sdk::{Client, ClientOptions};",
      "",
      ...constants,
      "",
      ...provider,
      "",
      "#[tokio::main]",
      "async fn main() -> Result<(), Box<dyn std::error::Error>> {",
      "    let foundry = foundry()?;",
      "    // The runtime, which runs tools for the model, gets no secret of the identity.",
      "    let client = Client::start(without_secrets(ClientOptions::default())).await?;",
      "    // Attached, the session recovers from a rejected token within the turn.",
      "    let session = foundry.attach(client.create_session(foundry.session_config()).await?);",
      `    println!("{}", session.chat(${quote(PROMPT)}).await?);`,
      "    session.disconnect().await?;",
      "    client.stop().await?;",
      "    foundry.close().await;",
      "    Ok(())",
      "}",
    ].join("\n"),
    snippet: [
      ...uses([]),
      "",
      ...constants,
      "",
      ...provider,
      "// foundry.attach(client.create_session(foundry.session_config()).await?)",
    ].join("\n"),
  };
}

function constant(name: string, value: string): string {
  const line = `const ${name}: &str = ${quote(value)};`;
  const own = `    ${quote(value)};`;
  // rustfmt leaves a text where it is if it fits on no line.
  return line.length > 100 && own.length <= 100 ? `const ${name}: &str =\n${own}` : line;
}

/** The field of an enumeration, with the name of its type. */
function choice(field: string, name: string, value: string | undefined): { name: string; line: string }[] {
  return value === undefined ? [] : [{ name, line: `${field}: Some(${name}::${pascal(value)}),` }];
}

function number(field: string, value: number | undefined): string[] {
  return value === undefined ? [] : [`${field}: Some(${value}),`];
}

/** One name as it is, several in braces. */
function list(names: readonly string[]): string {
  return names.length === 1 ? `${names[0]}` : `{${names.join(", ")}}`;
}
