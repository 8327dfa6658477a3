// Callbacks of the program may throw or reject at any time, with the same result. Closed objects
// say that they are closed.

import {
  type Clock,
  createBearerTokenProvider,
  createFoundryProvider,
  createFoundryProviders,
  FoundryAgent,
  KeylessError,
} from "copilot-keyless";
import { createChatHandler } from "copilot-keyless/azure-functions";
import { createDirectCredential } from "copilot-keyless/direct";
import { createEdgeChatHandler } from "copilot-keyless/edge";
import { startEmulator } from "copilot-keyless/emulator";
import { describe, expect, test } from "vitest";
import { emulated } from "./support.js";

const emulator = await emulated({
  reply: ({ prompt, toolResults }) =>
    prompt === "Use it" && toolResults.length === 0
      ? { toolCalls: [{ name: "look", arguments: {} }] }
      : `You said: "${prompt}"`,
});
const { env } = emulator;
const SCOPE = "https://ai.azure.com/.default";
const credential = createDirectCredential({ env });

const throws = (): never => {
  throw new Error("the program's own trouble");
};
const rejects = async (): Promise<never> => throws();

const clock: Clock = {
  now: throws,
  monotonic: throws,
  random: throws,
  setTimeout: throws,
  clearTimeout: throws,
};
const oddClock = {
  now: () => "now",
  monotonic: () => Number.NaN,
  random: () => undefined,
  setTimeout: throws,
  clearTimeout: throws,
} as unknown as Clock;

const asked = () =>
  new Request("http://edge.example/chat", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ prompt: "Hello" }),
  });

describe.each([
  ["throws", throws],
  ["rejects", rejects],
])("a callback that %s has no effect on the answer", (_how, callback) => {
  test("onEvent of a token provider", async () => {
    const provider = createBearerTokenProvider(credential, SCOPE, { onEvent: callback });
    expect(await provider()).toMatch(/^eyJ/);
    provider.close();
  });

  test("onEvent of a turn", async () => {
    await using agent = new FoundryAgent({ credential });
    expect(await agent.chat("Hello", { onEvent: callback })).toContain('"Hello"');
    let text = "";
    for await (const piece of agent.stream("Again", { onEvent: callback })) text += piece;
    expect(text).toContain('"Again"');
  });

  test("a tool of the agent", async () => {
    let calls = 0;
    const handler = () => {
      calls += 1;
      return callback();
    };
    const session = {
      availableTools: ["look"],
      tools: [{ name: "look", description: "Looks.", handler }],
      onPermissionRequest: () => ({ kind: "approve-once" as const }),
    };
    await using agent = new FoundryAgent({ credential, session });
    expect(await agent.chat("Use it")).toContain('"Use it"');
    expect(calls).toBe(1);
  });

  test("onLog of the edge handler", async () => {
    const chat = createEdgeChatHandler({ authorize: "anonymous", env, credential, onLog: callback });
    const response = await chat(asked());
    expect([response.status, (await response.json()).reply]).toEqual([
      200,
      expect.stringContaining('"Hello"'),
    ]);
    chat.close();
  });

  test("onFailure of a watched session", () => {
    const handlers: Record<string, (event: object) => void> = {};
    const session = {
      sessionId: "one",
      on: (type: string, handler: (event: object) => void) => {
        handlers[type] = handler;
        return () => {};
      },
      sendAndWait: async () => undefined,
    };
    const foundry = createFoundryProvider({ env, credential });
    foundry.attach(session as never, callback);
    expect(() =>
      handlers["model.call_failure"]?.({ data: { statusCode: 500, errorMessage: "x" } }),
    ).not.toThrow();
    foundry.close();
  });
});

const CLOCKS = [
  ["throws", clock],
  ["gives no numbers", oddClock],
] as const;

test.each(CLOCKS)("a clock, the platform's stands in: %s", async (_how, given) => {
  const provider = createBearerTokenProvider(credential, SCOPE, { clock: given, keepFresh: true });
  expect(await provider()).toMatch(/^eyJ/);
  expect(provider.status.state).toBe("fresh");
  provider.close();
  const direct = createDirectCredential({ env, clock: given });
  expect((await direct.getToken(SCOPE))?.token).toMatch(/^eyJ/);
  await using own = await startEmulator({ chunkDelayMs: 0, clock: given });
  const token = await createDirectCredential({ env: own.env }).getToken(SCOPE);
  expect(token?.expiresOnTimestamp).toBeGreaterThan(Date.now());
});

test("a predicate of a fault that throws matches nothing", async () => {
  const fault = emulator.faults.add({ server: "identity", kind: "reset", match: throws });
  expect((await credential.getToken(SCOPE))?.token).toMatch(/^eyJ/);
  expect(fault.hits).toBe(0);
  fault.remove();
});

test("an assertion that hangs ends in its time", async () => {
  const { authorityHost, tenantId, clientId } = emulator.identity;
  const options = { authorityHost, tenantId, clientId, source: "workload-identity" as const, env: {} };
  const assertion = () => new Promise<string>(() => {});
  const hanging = createDirectCredential({ ...options, assertion, timeoutMs: 100 });
  await expect(hanging.getToken(SCOPE)).rejects.toMatchObject({ code: "credential/failed" });
  const patient = createDirectCredential({ ...options, assertion });
  const abortSignal = AbortSignal.timeout(100);
  await expect(patient.getToken(SCOPE, { abortSignal })).rejects.toMatchObject({ name: "TimeoutError" });
});

describe("closed objects say that they are closed", () => {
  const code = async (call: () => unknown): Promise<string> => {
    try {
      await call();
      return "nothing";
    } catch (error) {
      expect(error).toBeInstanceOf(KeylessError);
      return (error as KeylessError).code;
    }
  };

  test("a token provider, and a handler made from one", async () => {
    const provider = createBearerTokenProvider(credential, SCOPE);
    provider.close();
    provider.close();
    expect(provider.status.state).toBe("closed");
    expect(provider.invalidate("token")).toBe(false);
    expect(await code(() => provider())).toBe("token/closed");
    expect(await code(() => provider.getToken())).toBe("token/closed");
    expect(await code(() => provider.getToken({ claims: "{}" }))).toBe("token/closed");
    const foundry = createFoundryProvider({ env, credential });
    foundry.close();
    expect(await code(() => foundry.tokens())).toBe("token/closed");
    expect(await code(() => foundry.staticConfig())).toBe("token/closed");
    expect(await code(() => foundry.config.bearerTokenProvider?.({} as never))).toBe("token/closed");
    const foundries = createFoundryProviders([{ name: "west", env, credential }]);
    foundries.close();
    expect(await code(() => foundries.get("west").tokens())).toBe("token/closed");
  });

  test("an agent and its conversations", async () => {
    const agent = new FoundryAgent({ credential });
    const conversation = agent.conversation();
    const [one] = [agent.conversation()];
    await one?.close();
    expect(await code(() => one?.chat("Hello"))).toBe("agent/closed");
    await agent.close();
    await agent.close();
    for (const closed of [agent, conversation]) {
      expect(await code(() => closed.chat("Hello"))).toBe("agent/closed");
      expect(await code(async () => closed.stream("Hello").next())).toBe("agent/closed");
    }
    expect(await code(() => agent.conversation())).toBe("agent/closed");
    const once = new FoundryAgent({ credential, stateless: true });
    await once.close();
    expect(await code(() => once.chat("Hello"))).toBe("agent/closed");
  });

  test("the handlers", async () => {
    const chat = createEdgeChatHandler({ authorize: "anonymous", env, credential });
    chat.close();
    const response = await chat(asked());
    expect([response.status, (await response.json()).code]).toEqual([503, "chat/closing"]);
    const handler = createChatHandler({ credential });
    await handler.close();
    expect(handler.status()).toMatchObject({ state: "closed", healthy: false });
    const context = { invocationId: "one", info: () => {}, warn: () => {}, error: () => {} };
    const answer = await handler(asked() as never, context as never);
    expect([answer?.status, JSON.parse(String(answer?.body)).code]).toEqual([503, "chat/closing"]);
  });

  test("an emulator", async () => {
    const own = await startEmulator();
    await own.stop();
    await own.stop();
    expect(await code(() => own.faults.add({ server: "identity", kind: "reset" }))).toBe("emulator/closed");
    expect(await code(() => own.revokeTokens())).toBe("emulator/closed");
    expect(await code(() => own.foundry.setRoles([]))).toBe("emulator/closed");
  });
});
