// Asks for a token, or for a reply, behind the proxy of the environment. Reports the error as JSON. A
// process of its own, because @azure/identity and the Copilot runtime read the proxy from it.

import { createFoundryProvider, FoundryAgent } from "copilot-keyless";

const [client] = process.argv.slice(2);
const hour = { getToken: async () => ({ token: "a.b", expiresOnTimestamp: Date.now() + 3_600_000 }) };

async function ask() {
  if (client === "runtime") {
    const agent = new FoundryAgent({ preset: "chat", credential: hour, timeoutMs: 50_000 });
    return agent.chat("Hi");
  }
  const waitTimeoutMs = Number(process.env.WAIT_MS);
  return await createFoundryProvider({ tokens: { policy: { waitTimeoutMs } } }).tokens();
}

const error = await ask().catch((error) => error);
const { code, message, hint, status, retryable } = error;
console.log(JSON.stringify({ code, message, hint, status, retryable }));
process.exit();
