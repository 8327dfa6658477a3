// Stops the runtime for as long as a busy machine might.

import { FoundryAgent } from "copilot-keyless";
import { expect, test } from "vitest";
import { emulated, runtimes } from "../support.js";

const emulator = await emulated({
  reply: ({ prompt }) => `You said: "${prompt}", in a reply of quite some words.`,
});

test("a runtime that is slow to answer, as on a busy machine, keeps its turns", async () => {
  const before = new Set(runtimes());
  const agent = new FoundryAgent({ session: { availableTools: [] } });
  await agent.chat("Warm up");
  const id = await agent.sessionId;
  const [runtime] = runtimes().filter((pid) => !before.has(pid)) as [number];
  const slow = emulator.faults.add({ server: "foundry", kind: "delay", delayMs: 1_000 });
  const reply = agent.chat("Patience");
  await new Promise((next) => setTimeout(next, 500));
  process.kill(runtime, "SIGSTOP");
  // Longer than the deadline of one ping.
  await new Promise((next) => setTimeout(next, 7_500));
  process.kill(runtime, "SIGCONT");
  expect(await reply).toContain("Patience");
  slow.remove();
  expect(await agent.sessionId).toBe(id);
  expect(() => process.kill(runtime, 0), "it is the same one still").not.toThrow();
  await agent.close();
});
