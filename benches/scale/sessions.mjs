// Many sessions on one Copilot runtime, a turn each, ten at a time: `node sessions.mjs <count>`. Linux: memory is read from /proc.

import { readdirSync, readFileSync } from "node:fs";
import { CopilotClient } from "@github/copilot-sdk";
import { createFoundryProvider } from "copilot-keyless";

const AT_ONCE = 10;
const PAGE_BYTES = 4_096;
const count = Number(process.argv[2]);

const residentBytes = (pid) => Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE_BYTES;
const childrenOf = (pid) =>
  readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
const below = (pid) =>
  childrenOf(pid).reduce((bytes, child) => bytes + residentBytes(child) + below(child), 0);

const foundry = createFoundryProvider();
const client = new CopilotClient({ useLoggedInUser: false });
await client.start();
const sessions = [];
let answered = 0;
const one = async () => {
  while (sessions.length < count) {
    const index = sessions.push(undefined) - 1;
    sessions[index] = await client.createSession(foundry.sessionConfig({ availableTools: [] }));
    const reply = await sessions[index].sendAndWait({ prompt: `Session ${index}` }, 120_000);
    if (reply?.data.content.includes(`Session ${index}`)) answered += 1;
  }
};
await Promise.all(Array.from({ length: AT_ONCE }, one));
process.stdout.write(
  JSON.stringify({ answered, own: process.memoryUsage().rss, runtime: below(process.pid) }),
);
await client.forceStop();
process.exit();
