// A program with Anthropic's SDK: node anthropic.mjs <anthropic|foundry> <turn|stream|tool> <prompt>.
// `Anthropic` reads the environment; `AnthropicFoundry` gets the same address and key.

import { AnthropicFoundry } from "@anthropic-ai/foundry-sdk";
import Anthropic from "@anthropic-ai/sdk";

const [kind, mode, content] = process.argv.slice(2);
const { ANTHROPIC_BASE_URL: baseURL, ANTHROPIC_AUTH_TOKEN: apiKey } = process.env;
const client = kind === "foundry" ? new AnthropicFoundry({ baseURL, apiKey }) : new Anthropic();
const messages = [{ role: "user", content }];
const request = { model: "claude-sonnet-5", max_tokens: 1024, messages };
const textOf = ({ content }) => content.find(({ type }) => type === "text").text;

if (mode === "stream") {
  const stream = client.messages.stream(request).on("text", (text) => process.stdout.write(text));
  await stream.finalMessage();
} else if (mode === "tool") {
  const input_schema = { type: "object", properties: {} };
  const tools = [{ name: "answer", description: "the answer", input_schema }];
  const first = await client.messages.create({ ...request, tools });
  const { id } = first.content.find(({ type }) => type === "tool_use");
  const result = { type: "tool_result", tool_use_id: id, content: "tool-ran-42" };
  messages.push({ role: "assistant", content: first.content }, { role: "user", content: [result] });
  console.log(textOf(await client.messages.create({ ...request, tools })));
} else {
  const { input_tokens } = await client.messages.countTokens({ model: request.model, messages });
  if (!(input_tokens > 0)) throw new Error("no tokens were counted");
  console.log(textOf(await client.messages.create(request)));
}
