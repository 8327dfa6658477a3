// A program with `openai`, by the environment alone: node openai.mjs <turn|stream|tool> <prompt>.

import OpenAI from "openai";

const [mode, input] = process.argv.slice(2);
const client = new OpenAI();
const model = "gpt-5.5";

if (mode === "stream") {
  for await (const event of await client.responses.create({ model, input, stream: true }))
    if (event.type === "response.output_text.delta") process.stdout.write(event.delta);
} else if (mode === "tool") {
  const parameters = { type: "object", properties: {}, additionalProperties: false };
  const tools = [{ type: "function", name: "answer", description: "the answer", parameters, strict: true }];
  const first = await client.responses.create({ model, input, tools });
  const call = first.output.find(({ type }) => type === "function_call");
  const result = { type: "function_call_output", call_id: call.call_id, output: "tool-ran-42" };
  const messages = [{ role: "user", content: input }, ...first.output, result];
  console.log((await client.responses.create({ model, input: messages, tools })).output_text);
} else {
  console.log((await client.responses.create({ model, input })).output_text);
}
