// A hosted agent: the environment chooses endpoint, model and identity. See README.md.

import { createHostedAgent } from "copilot-keyless/hosted-agent";

const agent = createHostedAgent({
  // Only outside Foundry, such as on your machine: there every request counts as one caller.
  authorize: "anonymous",
  systemMessage: "You are a helpful assistant. Answer briefly.",
});
const { url } = await agent.serve();
console.log(`listening ${url}`);
