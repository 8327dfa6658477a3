// How the real Copilot runtime takes what the emulator does in the middle of a reply: it asks again
// after an error, and continues after the limit of output tokens.

import { FoundryAgent } from "copilot-keyless";
import { type Fault, startEmulator } from "copilot-keyless/emulator";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support.js";

const TEXT = "One two three four five.";
const baseDirectory = temporaryFolder();

test.each<[string, Omit<Fault, "server">, "responses" | "completions"]>([
  ["response.failed without the error, then error", { kind: "stream-error" }, "responses"],
  [
    "response.failed",
    { kind: "stream-error", event: "response.failed" } as Omit<Fault, "server">,
    "responses",
  ],
  ["error", { kind: "stream-error", event: "error" } as Omit<Fault, "server">, "responses"],
  ["an error of Chat Completions", { kind: "stream-error" }, "completions"],
  ["the output limit", { kind: "length" }, "responses"],
  ["the output limit of Chat Completions", { kind: "length" }, "completions"],
])("%s: a second request answers the turn", async (_name, fault, wireApi) => {
  await using emulator = await startEmulator({ chunkDelayMs: 0, reply: () => TEXT });
  await using agent = new FoundryAgent({
    ...emulator.agentOptions,
    preset: "chat",
    wireApi,
    client: { baseDirectory },
  });
  emulator.faults.add({ server: "foundry", ...fault } as Fault);
  expect(await agent.chat("Hello")).toBe(TEXT);
  const requests = emulator.requests.filter(({ server }) => server === "foundry");
  expect(requests.map((request) => request.fault)).toEqual([fault.kind, undefined]);
});

test("an error in every reply ends the turn with its words", async () => {
  await using emulator = await startEmulator({ chunkDelayMs: 0, reply: () => TEXT });
  await using agent = new FoundryAgent({
    ...emulator.agentOptions,
    preset: "chat",
    client: { baseDirectory },
  });
  emulator.faults.add({ server: "foundry", kind: "stream-error", message: "Boom.", times: "always" });
  await expect(agent.chat("Hello")).rejects.toMatchObject({
    code: "model/server-error",
    message: expect.stringContaining("Boom."),
  });
});

test("chosen usage reaches the turn", async () => {
  const usage = { inputTokens: 1200, outputTokens: 34, cachedTokens: 1000, reasoningTokens: 30 };
  await using emulator = await startEmulator({ chunkDelayMs: 0, reply: () => ({ text: TEXT, usage }) });
  await using agent = new FoundryAgent({
    ...emulator.agentOptions,
    preset: "chat",
    client: { baseDirectory },
  });
  expect((await agent.turn("Hello")).usage).toMatchObject({
    inputTokens: 1200,
    outputTokens: 34,
    cachedInputTokens: 1000,
    reasoningTokens: 30,
  });
});
