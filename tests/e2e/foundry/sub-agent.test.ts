// Tests what attach() says when the runtime asks for a sub-agent's model that the resource does not
// have, with the real runtime.

import { CopilotClient } from "@github/copilot-sdk";
import { createFoundryProvider, type KeylessError } from "copilot-keyless";
import { afterAll, expect, test } from "vitest";
import { emulated, straightCredential } from "../support.js";

const emulator = await emulated({
  reply: ({ prompt, toolResults }) => {
    if (prompt !== "Delegate" || toolResults.length > 0) return `You said: "${prompt}"`;
    const task = { agent_type: "helper", name: "helper", description: "d", prompt: "Help me", mode: "sync" };
    return { toolCalls: [{ name: "task", arguments: task }] };
  },
});
const client = new CopilotClient({ useLoggedInUser: false });
await client.start();
afterAll(() => client.stop());

test("the error names the sub-agent and its model", async () => {
  await using foundry = createFoundryProvider({ credential: straightCredential(emulator) });
  const session = await client.createSession(
    foundry.sessionConfig({
      customAgents: [{ name: "helper", description: "Helps", prompt: "You help.", model: "gpt-9" }],
      onPermissionRequest: () => ({ kind: "approve-once" }),
    }),
  );
  const errors: KeylessError[] = [];
  foundry.attach(session, (error) => errors.push(error));
  await session.sendAndWait({ prompt: "Delegate" }, 30_000).catch(() => {});
  expect(errors.map(({ code }) => code)).toContain("model/deployment-not-found");
  expect(errors[0]?.message).toContain('The sub-agent helper asked for the model "gpt-9"');
  expect(errors[0]?.hint).toContain("customAgents");
  await session.disconnect();
});
