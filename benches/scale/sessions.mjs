// Measures many conversations on one Copilot runtime, a turn each, ten at a time: `node sessions.mjs
// <count> <system>`. Needs Linux, because it reads memory from /proc.

import { get } from "node:http";
import { json } from "node:stream/consumers";
import { CopilotClient } from "@github/copilot-sdk";
import { residentBytesBelow } from "../../tests/support/processes.mjs";
import { heapBytes } from "./heap.mjs";

const AT_ONCE = 10;
const QUIET = { availableTools: [], onPermissionRequest: () => ({ kind: "reject" }) };
const [count, system] = [Number(process.argv[2]), process.argv[3]];

/** Each returns `ask`, which begins a conversation and returns the reply to a prompt, and `stop`. */
const SYSTEMS = {
  /** The SDK alone, with a token that nobody renews. Nothing of this package is loaded. */
  async "bare SDK"() {
    const baseUrl = `${process.env.FOUNDRY_RESOURCE_URL}/openai/v1/`;
    const bearerToken = await staticToken();
    const provider = { type: "openai", wireApi: "responses", baseUrl, bearerToken };
    return withClient({ ...QUIET, model: process.env.FOUNDRY_MODEL_NAME, provider });
  },
  async provider() {
    const { createFoundryProvider } = await import("copilot-keyless");
    return withClient(createFoundryProvider().sessionConfig(QUIET));
  },
  async agent() {
    const { FoundryAgent } = await import("copilot-keyless");
    const agent = new FoundryAgent({
      session: { availableTools: [] },
      sessionsPerRuntime: count + 1,
      turnsPerRuntime: count + 1,
      maxConversations: count + 1,
    });
    const ask = async (prompt) => {
      const conversation = agent.conversation();
      const { text } = await conversation.turn(prompt, { timeoutMs: 120_000 });
      return { text, conversation };
    };
    return { ask, stop: () => agent.close() };
  },
};

async function staticToken() {
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = process.env;
  const url = `${IDENTITY_ENDPOINT}?resource=https%3A%2F%2Fai.azure.com&api-version=2019-08-01`;
  const headers = { "x-identity-header": IDENTITY_HEADER };
  const response = await new Promise((resolve, reject) => get(url, { headers }, resolve).on("error", reject));
  return (await json(response)).access_token;
}

async function withClient(config) {
  const client = new CopilotClient({ useLoggedInUser: false });
  await client.start();
  const ask = async (prompt) => {
    const session = await client.createSession(config);
    const reply = await session.sendAndWait({ prompt }, 120_000);
    return { text: reply?.data.content, session };
  };
  return { ask, stop: () => client.forceStop() };
}

const { ask, stop } = await SYSTEMS[system]();
const kept = [];
let [begun, answered] = [0, 0];
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (begun < count) {
      const index = begun;
      begun += 1;
      const met = await ask(`Session ${index}`);
      kept.push(met);
      if (met.text?.includes(`Session ${index}`)) answered += 1;
    }
  }),
);
if (answered !== count) throw new Error(`${answered} of ${count} conversations were answered`);
const heapUsed = heapBytes();
const { rss } = process.memoryUsage();
const inMb = (bytes) => Math.round(bytes / 1e6);
const found = { heap: inMb(heapUsed), process: inMb(rss), runtime: inMb(residentBytesBelow(process.pid)) };
process.stdout.write(JSON.stringify(found));
await stop();
process.exit();
