// An agent that starts before its first turn.

import { FoundryAgent } from "copilot-keyless";
import { expect, test } from "vitest";
import { emulated, runtimes } from "../support.js";

const emulator = await emulated();

test("the first turn of a warm agent waits for neither the runtime nor a token", async () => {
  await using agent = new FoundryAgent({ preset: "chat" });
  expect(runtimes()).toEqual([]);
  await agent.warmUp();
  const started = runtimes();
  expect(started).toHaveLength(1);
  expect(emulator.counts).toMatchObject({ identity: 1, foundry: 0 });
  // Once is enough.
  await agent.warmUp();
  await agent.chat("Hi");
  expect(runtimes()).toEqual(started);
  expect(emulator.counts.identity).toBe(1);
});

test("a closed agent does not start", async () => {
  const agent = new FoundryAgent({ preset: "chat" });
  await agent.close();
  await expect(agent.warmUp()).rejects.toMatchObject({ code: "agent/closed" });
});
