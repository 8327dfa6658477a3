// A program with LangChain, by the environment alone: node langchain.mjs <turn|stream|tool> <prompt>.

import { ChatOpenAI } from "@langchain/openai";
import { createAgent, tool } from "langchain";

const [mode, prompt] = process.argv.slice(2);
const model = new ChatOpenAI({ model: "gpt-5.5" });

if (mode === "stream") {
  for await (const chunk of await model.stream(prompt)) process.stdout.write(chunk.text);
} else if (mode === "tool") {
  const schema = { type: "object", properties: {}, additionalProperties: false };
  const answer = tool(() => "tool-ran-42", { name: "answer", description: "the answer", schema });
  const agent = createAgent({ model, tools: [answer] });
  const { messages } = await agent.invoke({ messages: [{ role: "user", content: prompt }] });
  console.log(messages.at(-1).text);
} else {
  console.log((await model.invoke(prompt)).text);
}
