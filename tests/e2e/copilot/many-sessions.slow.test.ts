// Starts fifty sessions of one client at once: one acquisition serves them all.

import { CopilotClient } from "@github/copilot-sdk";
import { createFoundryProvider } from "copilot-keyless";
import { afterAll, expect, test } from "vitest";
import { denied, emulated } from "../support.js";

const SESSIONS = 50;

const emulator = await emulated();
const client = new CopilotClient({ useLoggedInUser: false });
const provider = createFoundryProvider();
afterAll(async () => {
  await client.stop();
  provider.close();
});

test("50 sessions started at once make one identity request", { timeout: 120_000 }, async () => {
  emulator.faults.add({ server: "identity", kind: "delay", delayMs: 300 });
  await client.start();
  const replies = await Promise.all(
    Array.from({ length: SESSIONS }, async (_, index) => {
      const session = await client.createSession(provider.sessionConfig(denied));
      const reply = await session.sendAndWait({ prompt: `Session ${index}` }, 60_000);
      await session.disconnect();
      return reply?.data.content;
    }),
  );
  for (const [index, reply] of replies.entries()) expect(reply).toContain(`Session ${index}`);
  expect(emulator.counts.identity).toBe(1);
  expect(emulator.counts.foundry).toBe(SESSIONS);
  expect(emulator.counts.unauthorized).toBe(0);
});
