// Two containers of one agent, whose conversations are in Azure Blob Storage: any of them continues
// any conversation. Azurite replaces the storage, the emulator the rest of Azure.

import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { root } from "../../support/process.js";
import { createContainer, startStorage } from "../blob-sessions/support.js";
import { json } from "../functions/support.js";
import { emulatorForAgents, JSON_ONLY, post, startAgent, user } from "./support.js";

const { azurite } = await startStorage();
await createContainer(azurite, "agents");
const emulator = await emulatorForAgents();

const program = join(root, `target/hosted-agent-stored-${process.pid}.mjs`);
writeFileSync(
  program,
  `import { blobConversations } from "copilot-keyless/blob-sessions";
   import { createHostedAgent } from "copilot-keyless/hosted-agent";
   const conversations = blobConversations({
     account: ${JSON.stringify(azurite.account)}, container: "agents", leaseSeconds: 15,
   });
   const agent = createHostedAgent({ authorize: "anonymous", conversations });
   console.log("listening " + (await agent.serve()).url);`,
);
afterAll(() => rmSync(program));

const start = () => startAgent(emulator, { NODE_EXTRA_CA_CERTS: azurite.certFile }, program);
const [one, two] = await Promise.all([start(), start()]);

const invoke = (agent: { url: string }, name: string, input = "Hi", session = "s") =>
  post(agent, `/invocations?agent_session_id=${session}`, { input }, { ...JSON_ONLY, ...user(name) });

test("a conversation goes on in the other container, for its user only", async () => {
  const ask = async (...args: Parameters<typeof invoke>) => (await json(await invoke(...args))).output;
  expect(await ask(one, "ann")).toBe("Turn 0: Hi");
  expect(await ask(two, "ann")).toBe("Turn 1: Hi");
  expect(await ask(two, "bob")).toBe("Turn 0: Hi");
  expect(await ask(one, "ann")).toBe("Turn 2: Hi");
});

test("so does a chain of responses, which must exist", async () => {
  const respond = (agent: { url: string }, name: string, previous?: string) =>
    post(agent, "/responses", { input: "Hi", previous_response_id: previous }, user(name));
  const { id } = await json(await respond(one, "ann"));
  const next = await respond(two, "ann", id);
  expect(JSON.stringify(await next.json())).toContain('"text":"Turn 1: Hi"');
  const stolen = await respond(two, "bob", id);
  expect([stolen.status, (await json(stolen)).code]).toEqual([404, "chat/session-not-found"]);
});

test("two first turns at once: one is answered, the other told to wait, and nothing is lost", async () => {
  const both = await Promise.all([
    invoke(one, "cid", "Slowly", "race"),
    invoke(two, "cid", "Slowly", "race"),
  ]);
  expect(both.map(({ status }) => status).toSorted()).toEqual([200, 409]);
  expect((await json(await invoke(two, "cid", "Hi", "race"))).output).toBe("Turn 1: Hi");
});

test("a container that is killed loses its turn only, and the next caller is told", async () => {
  const third = await start();
  const running = post(third, "/invocations?agent_session_id=dies", { input: "Slowly" }, user("dan"));
  await running;
  const gone = once(third.process, "exit");
  third.process.kill("SIGKILL");
  await gone;
  const codes: string[] = [];
  await expect
    .poll(
      async () => {
        const response = await invoke(one, "dan", "Hi", "dies");
        if (response.status !== 200) codes.push((await json(response)).code ?? "");
        return response.status === 200 ? (await json(response)).output : response.status;
      },
      { timeout: 40_000, interval: 1_000 },
    )
    .toBe("Turn 0: Hi");
  expect(codes).toContain("chat/turn-lost");
});
