// A program with Vercel's AI SDK, by the environment alone:
// node ai-sdk.mjs <openai|azure> <turn|stream|tool> <prompt>.

import { createAzure } from "@ai-sdk/azure";
import { openai } from "@ai-sdk/openai";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";

const [kind, mode, prompt] = process.argv.slice(2);
const { OPENAI_BASE_URL = "", OPENAI_API_KEY } = process.env;
const azure = createAzure({ baseURL: OPENAI_BASE_URL.replace(/\/v1$/, ""), apiKey: OPENAI_API_KEY });
const model = kind === "azure" ? azure("gpt-5.5") : openai("gpt-5.5");

if (mode === "stream") {
  let failure;
  const onError = ({ error }) => {
    failure = error;
  };
  for await (const text of streamText({ model, prompt, onError }).textStream) process.stdout.write(text);
  if (failure) throw failure;
} else {
  const answer = tool({
    description: "the answer",
    inputSchema: jsonSchema({ type: "object", properties: {}, additionalProperties: false }),
    execute: async () => "tool-ran-42",
  });
  const tools = mode === "tool" ? { tools: { answer }, stopWhen: stepCountIs(3) } : {};
  console.log((await generateText({ model, prompt, ...tools })).text);
}
