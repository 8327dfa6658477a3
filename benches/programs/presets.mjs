// Measures what a preset costs: tokens and bytes of "hello"; then CPU time and memory of many turns,
// each a session of its own, four at a time. Needs Linux, because it reads /proc.

import { createServer } from "node:http";
import { FoundryAgent } from "copilot-keyless";
import { cpuMsOf, residentBytes, residentBytesBelow } from "../../tests/support/processes.mjs";
import { report } from "./systems.mjs";

const AT_ONCE = 4;
const [name, turns = "1000"] = process.argv.slice(2);
const preset = name === "copilot-keyless" ? "chat" : "coding";

const { inputTokens, bytes } = await hello();
const agent = new FoundryAgent({ preset, stateless: true });
await agent.chat("Warm up");
const before = cpuMsOf(process.pid);
let [started, runtimeMb, nodeMb] = [0, 0, 0];
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (started < Number(turns)) {
      started += 1;
      await agent.chat(`Turn ${started}`);
      runtimeMb = Math.max(runtimeMb, residentBytesBelow(process.pid) / 1e6);
      nodeMb = Math.max(nodeMb, residentBytes(process.pid) / 1e6);
    }
  }),
);
const cpuMs = (cpuMsOf(process.pid) - before) / Number(turns);
report({ inputTokens, bytes, cpuMs, runtimeMb, nodeMb });
await agent.close();

/** Sends "hello" through a proxy that counts the bytes of the request. */
async function hello() {
  let bytes = 0;
  const proxy = createServer(async (request, response) => {
    const chunks = await request.toArray();
    const body = Buffer.concat(chunks);
    bytes = body.length;
    const answer = await fetch(new URL("/openai/v1/responses", process.env.FOUNDRY_RESOURCE_URL), {
      method: "POST",
      headers: { authorization: request.headers.authorization, "content-type": "application/json" },
      body,
    });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((listening) => proxy.listen(0, "127.0.0.1", listening));
  const endpoint = `http://127.0.0.1:${proxy.address().port}/openai/v1/`;
  const agent = new FoundryAgent({ preset, endpoint });
  const { usage } = await agent.turn("hello");
  await agent.close();
  proxy.close();
  proxy.closeAllConnections();
  return { inputTokens: usage.inputTokens, bytes };
}
