// The Copilot SDK and its runtime accept the emulator's responses, without this package.

import { approveAll, CopilotClient, defineTool, type ProviderConfig } from "@github/copilot-sdk";
import { FoundryAgent } from "copilot-keyless";
import { type Emulator, startEmulator } from "copilot-keyless/emulator";
import { expect, test } from "vitest";
import { straightCredential, temporaryFolder } from "./support.js";

async function tokenOf(emulator: Emulator): Promise<string> {
  const token = await straightCredential(emulator).getToken("https://ai.azure.com/.default");
  return token?.token as string;
}

const baseDirectory = temporaryFolder();

test.each<[string, (emulator: Emulator) => Omit<ProviderConfig, "bearerTokenProvider">]>([
  [
    "/openai/v1/responses",
    ({ env }) => ({
      type: "openai",
      wireApi: "responses",
      // As the guides for Azure build it.
      baseUrl: `${env.FOUNDRY_RESOURCE_URL}/openai/v1/`,
    }),
  ],
  [
    "/openai/v1/chat/completions",
    ({ env }) => ({
      type: "openai",
      wireApi: "completions",
      baseUrl: `${env.FOUNDRY_RESOURCE_URL}/openai/v1/`,
    }),
  ],
  [
    "/openai/deployments/gpt-5.5/chat/completions",
    ({ foundry }) => ({
      type: "azure",
      wireApi: "completions",
      baseUrl: foundry.url,
      azure: { apiVersion: "2024-10-21" },
    }),
  ],
  ["/anthropic/v1/messages", ({ foundry }) => ({ type: "anthropic", baseUrl: `${foundry.url}/anthropic` })],
])("runs a tool loop over %s", async (path, provider) => {
  await using emulator = await startEmulator({
    chunkDelayMs: 0,
    reply: ({ toolResults, prompt, tools }) => {
      expect(tools.map(({ name }) => name)).toContain("get_weather");
      return toolResults.length === 0
        ? { toolCalls: [{ name: "get_weather", arguments: { city: prompt } }] }
        : `It is ${toolResults[0]?.text}.`;
    },
  });
  const client = new CopilotClient({ baseDirectory, useLoggedInUser: false, logLevel: "error" });
  try {
    await client.start();
    const cities: string[] = [];
    const session = await client.createSession({
      model: emulator.env.FOUNDRY_MODEL_NAME,
      streaming: true,
      onPermissionRequest: approveAll,
      tools: [
        defineTool("get_weather", {
          description: "The weather of a city",
          parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
          handler: ({ city }: { city: string }) => {
            cities.push(city);
            return "sunny in Graz";
          },
        }),
      ],
      provider: { ...provider(emulator), bearerTokenProvider: () => tokenOf(emulator) },
    });
    const reply = await session.sendAndWait({ prompt: "Graz" });
    expect(reply?.data.content).toBe("It is sunny in Graz.");
    expect(cities).toEqual(["Graz"]);
    const calls = emulator.requests.filter(({ server }) => server === "foundry");
    expect(calls.map((call) => [call.path, call.status])).toEqual([
      [path, 200],
      [path, 200],
    ]);
    // Each model request has the token that the callback returned just before it.
    const issued = emulator.requests.filter(({ server }) => server === "identity");
    expect(calls.map(({ tokenId }) => tokenId)).toEqual(issued.map(({ tokenId }) => tokenId));
    await session.disconnect();
  } finally {
    await client.stop();
  }
});

test("agentOptions lead two agents to two emulators, and leave process.env alone", async () => {
  const before = JSON.stringify(process.env);
  const replies = ["west", "east"].map(async (name) => {
    await using emulator = await startEmulator({ chunkDelayMs: 0, reply: () => name });
    await using agent = new FoundryAgent({
      ...emulator.agentOptions,
      preset: "chat",
      client: { baseDirectory },
    });
    const reply = await agent.chat("Hello");
    expect(agent.provider.warnings).toEqual([]);
    expect(emulator.counts).toEqual({ identity: 1, foundry: 1, unauthorized: 0 });
    return reply;
  });
  expect(await Promise.all(replies)).toEqual(["west", "east"]);
  expect(JSON.stringify(process.env)).toBe(before);
});
