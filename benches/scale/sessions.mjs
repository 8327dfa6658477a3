// Measures many sessions on one Copilot runtime, a turn each, ten at a time: `node sessions.mjs
// <count>`. Needs Linux, because it reads memory from /proc.

import { CopilotClient } from "@github/copilot-sdk";
import { createFoundryProvider } from "copilot-keyless";
import { residentBytesBelow } from "../../tests/support/processes.mjs";

const AT_ONCE = 10;
const count = Number(process.argv[2]);

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
const sizes = [process.memoryUsage().rss, residentBytesBelow(process.pid)].map((bytes) =>
  Math.round(bytes / 1e6),
);
const memory = { "memory of this process and the runtime": `${sizes.join(" and ")} MB` };
process.stdout.write(JSON.stringify({ answered, ...memory }));
await client.forceStop();
process.exit();
