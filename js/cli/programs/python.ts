import type { ProviderPlan } from "../../wasm/types/provider.js";
import { type Code, fields, PROMPT, quoteWide as quote, snake, wrap } from "./text.js";

/** Formatted as `ruff format` and Black do. */
export function python({ config, model, scope }: ProviderPlan): Code {
  const field = (name: string, value: string) => `    ${snake(name)}=${value},`;
  const dated = (version: string) => `    azure={"api_version": ${quote(version)}},`;
  const types = scope ? "ProviderConfig, ProviderTokenArgs" : "ProviderConfig";
  const get = "    token = await credential.get_token(";
  const credential = scope
    ? [
        "credential = DefaultAzureCredential()",
        "",
        "",
        "async def bearer_token(args: ProviderTokenArgs) -> str:",
        wrap(88, `${get}${quote(scope)})`, `${get}\n        ${quote(scope)}\n    )`),
        "    return token.token",
        "",
        "",
      ]
    : [];
  const provider = [
    ...credential,
    "provider = ProviderConfig(",
    ...fields(config, field, quote, dated),
    ...(scope ? ["    bearer_token_provider=bearer_token,"] : []),
    ")",
  ];
  const identity = scope ? ["from azure.identity.aio import DefaultAzureCredential"] : [];
  return {
    program: [
      `# Install: pip install github-copilot-sdk${scope ? " azure-identity aiohttp" : ""}`,
      "# Run: python app.py",
      "",
      "import asyncio",
      "",
      ...identity,
      "from copilot import CopilotClient",
      `from copilot.session import ${types}`,
      "from copilot.session_events import AssistantMessageData",
      "",
      ...provider,
      "",
      "",
      "async def main() -> None:",
      `    async with ${scope ? "credential, " : ""}CopilotClient() as client:`,
      "        session = await client.create_session(",
      `            model=${quote(model)},`,
      "            provider=provider,",
      "        )",
      `        answer = await session.send_and_wait(${quote(PROMPT)})`,
      "        if answer and isinstance(answer.data, AssistantMessageData):",
      "            print(answer.data.content)",
      "",
      "",
      "asyncio.run(main())",
    ].join("\n"),
    snippet: [
      ...identity,
      `from copilot.session import ${types}`,
      "",
      ...provider,
      `# client.create_session(model=${quote(model)}, provider=provider)`,
    ].join("\n"),
  };
}
