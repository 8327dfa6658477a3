// A resource that accepts a request and sends nothing: the turn says so before its time is up.

import { FoundryAgent } from "copilot-keyless";
import { afterAll, expect, test } from "vitest";
import { emulated, straightCredential, tool } from "../support.js";

const TOOL_MS = 6_000;

const emulator = await emulated({
  reply: ({ prompt, toolResults }) =>
    prompt === "Use the tool" && toolResults.length === 0
      ? { toolCalls: [{ name: "slow_tool", arguments: {} }] }
      : `You said: ${prompt}`,
});
const slowTool = tool("slow_tool", async () => {
  await new Promise((resolve) => setTimeout(resolve, TOOL_MS));
  return "done";
});
const agent = new FoundryAgent({
  preset: "chat",
  credential: straightCredential(emulator),
  firstByteTimeoutMs: TOOL_MS - 1_000,
  session: { tools: [slowTool] },
});
await agent.chat("Warm up");
afterAll(() => agent.close());

const failed = () => agent.chat("Hello").catch((error: unknown) => error);

test("a silent resource fails the turn, and the next turn works", async () => {
  const silent = emulator.faults.add({ server: "foundry", kind: "hang", times: Infinity });
  expect(await failed()).toMatchObject({
    code: "model/first-byte-timeout",
    retryable: true,
    message: expect.stringContaining("which has answered nothing so far"),
    hint: expect.stringContaining("firstByteTimeoutMs"),
  });
  expect(silent.hits).toBe(1);
  silent.remove();
  expect(await agent.chat("And now?")).toContain("And now?");
});

test("a tool that takes longer is no silence of the resource", async () => {
  expect(await agent.chat("Use the tool")).toContain("Use the tool");
});

test("a turn whose time is up before says how long the resource has been silent", async () => {
  const silent = emulator.faults.add({ server: "foundry", kind: "hang", times: Infinity });
  const error = await agent.chat("Hello", { timeoutMs: TOOL_MS - 2_500 }).catch((thrown: unknown) => thrown);
  silent.remove();
  expect(error).toMatchObject({
    code: "agent/timeout",
    message: expect.stringMatching(/The resource has sent nothing for \d s\.$/),
  });
});

test.each([0, Number.NaN, 2 ** 31])("firstByteTimeoutMs: %s is refused", (firstByteTimeoutMs) => {
  expect(() => new FoundryAgent({ firstByteTimeoutMs })).toThrow(/firstByteTimeoutMs must be a positive/);
});
