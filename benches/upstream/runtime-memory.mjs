// Shows how the memory of the Copilot runtime grows, with nothing but the Copilot SDK and a server
// that answers "Yes.": every turn has a session of its own, which is deleted before the next.
//
//   npm install @github/copilot-sdk
//   node runtime-memory.mjs [turns]      # COPILOT_CLI_PATH names another runtime
//
// Prints the memory of the runtime's processes after every tenth of the turns, as JSON lines. Linux.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CopilotClient } from "@github/copilot-sdk";

const turns = Number(process.argv[2] ?? 1_000);
process.env.COPILOT_HOME = mkdtempSync(join(tmpdir(), "copilot-runtime-memory-"));

const message = { role: "assistant", content: "Yes." };
const choices = [{ index: 0, message, finish_reason: "stop" }];
const usage = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 };
const answer = JSON.stringify({
  id: "c1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices,
  usage,
});
const server = createServer((request, response) => {
  request.resume().on("end", () => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(answer);
  });
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

/** The resident memory of all processes below this one, in MB. */
function runtimeMb() {
  const parents = new Map();
  for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${id}/status`, "utf8");
      const [, parent] = /^PPid:\s+(\d+)/m.exec(status);
      parents.set(id, { parent, kb: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) });
    } catch {
      // It has ended.
    }
  }
  const isBelow = (id) =>
    id !== undefined && (id === String(process.pid) || isBelow(parents.get(id)?.parent));
  const below = [...parents].filter(([id]) => id !== String(process.pid) && isBelow(id));
  return Math.round(below.reduce((sum, [, { kb }]) => sum + kb, 0) / 1_000);
}

const client = new CopilotClient({ useLoggedInUser: false });
await client.start();
const { version } = await client.getStatus();
const provider = {
  type: "openai",
  baseUrl: `http://127.0.0.1:${server.address().port}/v1`,
  bearerToken: "none",
};
const onPermissionRequest = () => ({ kind: "reject" });
for (let turn = 1; turn <= turns; turn += 1) {
  const session = await client.createSession({
    model: "m",
    provider,
    availableTools: [],
    onPermissionRequest,
  });
  await session.sendAndWait({ prompt: "Is it so?" }, 60_000);
  await session.disconnect();
  await client.deleteSession(session.sessionId);
  if (turn % Math.ceil(turns / 10) === 0)
    console.log(JSON.stringify({ version, turn, runtimeMb: runtimeMb() }));
}
await client.stop();
server.close();
server.closeAllConnections();
rmSync(process.env.COPILOT_HOME, { recursive: true, force: true, maxRetries: 5 });
