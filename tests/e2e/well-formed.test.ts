// Cutting a text inside an emoji leaves half a surrogate pair, and the real runtime does not answer
// messages that contain one.

import { FoundryAgent } from "copilot-keyless";
import { streamChat } from "copilot-keyless/direct";
import { createEdgeChatHandler } from "copilot-keyless/edge";
import { expect, test } from "vitest";
import { emulated, straightCredential } from "./support.js";

type Session = NonNullable<NonNullable<ConstructorParameters<typeof FoundryAgent>[0]>["session"]>;
type Tool = NonNullable<Session["tools"]>[number];

const LONE = "cut \ud83d";
const MENDED = "cut \ufffd";

/** Returns the last model request as text. */
let asked = "";
const emulator = await emulated({
  reply: ({ prompt, messages, tools, toolResults }) => {
    asked = JSON.stringify({ messages, tools });
    return prompt.includes("tool") && toolResults.length === 0
      ? { toolCalls: [{ name: "look", arguments: {} }] }
      : `Answer to ${prompt}`;
  },
});
const endpoint = emulator.env.FOUNDRY_RESOURCE_URL;

const looking = (handler: () => unknown, more: Session = {}): Session => ({
  availableTools: ["look"],
  tools: [
    { name: "look", description: "Looks.", parameters: { type: "object", properties: {} }, handler } as Tool,
  ],
  onPermissionRequest: () => ({ kind: "approve-once" }),
  ...more,
});
const thrown = () => {
  throw new Error(LONE);
};

const PLACES: [where: string, prompt: string, session: Session, options?: { systemMessage?: string }][] = [
  ["a prompt", LONE, {}],
  ["a low surrogate alone", "\udc00 alone", {}],
  ["two high ones", "\ud83d\ud83d\ude00", {}],
  ["the system message", "hello", {}, { systemMessage: LONE }],
  ["the session's system message", "hello", { systemMessage: { mode: "append", content: LONE } }],
  [
    "a tool's description",
    "hello",
    looking(() => "", { tools: [{ name: "look", description: LONE, handler: () => "" }] }),
  ],
  ["a tool's result", "use the tool", looking(() => LONE)],
  ["a tool's result, later", "use the tool", looking(async () => LONE)],
  [
    "a tool's result object",
    "use the tool",
    looking(() => ({ textResultForLlm: LONE, resultType: "success" })),
  ],
  ["a tool's data", "use the tool", looking(() => ({ [LONE]: [LONE] }))],
  ["a tool's error", "use the tool", looking(thrown)],
  ["a tool's rejection", "use the tool", looking(async () => thrown())],
  [
    "a refusal",
    "use the tool",
    {
      ...looking(() => "", { onPermissionRequest: () => ({ kind: "reject", feedback: LONE }) }),
      tools: [{ name: "look", description: "Looks.", skipPermission: false, handler: () => "" }],
    },
  ],
  [
    "a hook",
    "use the tool",
    looking(() => "", {
      hooks: { onPreToolUse: () => ({ permissionDecision: "allow", additionalContext: LONE }) },
    }),
  ],
];

test.each(PLACES)(
  "half a surrogate pair holds no turn up: %s",
  async (_where, prompt, session, options = {}) => {
    await using agent = new FoundryAgent({ session, timeoutMs: 15_000, ...options });
    expect(await agent.chat(prompt)).toContain("Answer to");
    // The runtime does not expose the error's message.
    expect(asked).toMatch(/�|Tool execution failed/);
    expect(asked).not.toMatch(/\\ud/);
    expect(await agent.chat("again")).toBe("Answer to again");
  },
);

test("a session id that is none is not found", async () => {
  await using agent = new FoundryAgent({ timeoutMs: 15_000 });
  await expect(agent.conversation({ resume: LONE }).chat("hello")).rejects.toMatchObject({
    code: "sdk/session-not-found",
  });
});

test("a credential's error reaches the runtime, and the caller", async () => {
  const credential = { getToken: () => Promise.reject(new Error(LONE)) };
  await using agent = new FoundryAgent({ credential, timeoutMs: 15_000 });
  const began = performance.now();
  await expect(agent.chat("hello")).rejects.toThrow(MENDED);
  expect(performance.now() - began).toBeLessThan(14_000);
});

test("the model itself gets the text mended, by streamChat and on the edge", async () => {
  const credential = straightCredential(emulator);
  const token = (await credential.getToken("https://ai.azure.com/.default")) ?? undefined;
  let text = "";
  for await (const piece of streamChat({ endpoint, token, prompt: LONE })) text += piece;
  expect(text).toBe(`Answer to ${MENDED}`);
  const chat = createEdgeChatHandler({ env: emulator.env, authorize: "anonymous" });
  const response = await chat(
    new Request("http://edge.example/chat", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"prompt":"cut \\ud83d"}',
    }),
  );
  expect(await response.json()).toMatchObject({ reply: `Answer to ${MENDED}` });
  chat.close();
});
