// `unclosed.mjs <how>`: holds a conversation and ends without closing the agent. Prints the pids of
// the runtimes, and `done` with the time.

import { readdirSync, readFileSync } from "node:fs";
import { RuntimeConnection } from "@github/copilot-sdk";
import { FoundryAgent } from "copilot-keyless";

const how = process.argv[2];
const CONNECTIONS = {
  tcp: RuntimeConnection.forTcp(),
  "tcp, SIGTERM": RuntimeConnection.forTcp(),
  inprocess: RuntimeConnection.forInProcess(),
};
const agent = new FoundryAgent({
  session: { availableTools: [] },
  client: CONNECTIONS[how] && { connection: CONNECTIONS[how] },
  tokens: { keepFresh: how === "keepFresh" },
});
if (how === "aborted") {
  await agent.chat("Hello", { signal: AbortSignal.timeout(100) }).catch(() => {});
} else if (how === "unread") {
  agent.stream("Hello");
  await agent.sessionId;
} else {
  await agent.chat("Hello");
}
const pids = readdirSync(`/proc/${process.pid}/task`).flatMap((task) =>
  readFileSync(`/proc/${process.pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean),
);
console.log(JSON.stringify({ pids: pids.map(Number), at: Date.now() }));
if (how.endsWith("SIGTERM")) process.kill(process.pid, "SIGTERM");
if (how === "killed") process.kill(process.pid, "SIGKILL");
