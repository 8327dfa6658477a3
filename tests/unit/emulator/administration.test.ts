// Tests what an administrator changes while an app runs: quotas, deployments, tokens, scripted
// replies, the clock.

import OpenAI, { RateLimitError } from "openai";
import { describe, expect, test } from "vitest";
import type { Quota, ScriptedReply } from "../../../js/emulator.js";
import { askIdentity, json, post, start, tokenFor } from "./support.js";

const limitsOf = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith("x-ratelimit-")));

describe("quotas", () => {
  test("requests: what is left, then a 429 until the minute is over", async () => {
    const emulator = await start({ quotas: { "gpt-5.5": { requestsPerMinute: 2 } } });
    const token = await tokenFor(emulator);
    const first = await post(emulator, { token });
    expect(limitsOf(first)).toEqual({
      "x-ratelimit-limit-requests": "2",
      "x-ratelimit-remaining-requests": "1",
      "x-ratelimit-reset-requests": "60",
    });
    emulator.advanceClock(20_000);
    expect(limitsOf(await post(emulator, { token }))).toMatchObject({
      "x-ratelimit-remaining-requests": "0",
    });
    const refused = await post(emulator, { token });
    expect(refused.status).toBe(429);
    expect((await json(refused)).error).toMatchObject({
      code: "429",
      message: expect.stringContaining("exceeded the call rate limit"),
    });
    const retryAfterMs = Number(refused.headers.get("retry-after-ms"));
    expect(retryAfterMs).toBeGreaterThan(30_000);
    expect(retryAfterMs).toBeLessThanOrEqual(40_000);
    expect(refused.headers.get("retry-after")).toBe(String(Math.ceil(retryAfterMs / 1000)));
    // Another deployment has its own, or none.
    expect((await post(emulator, { token, body: { model: "gpt-4o", input: "x" } })).status).toBe(200);
    emulator.advanceClock(retryAfterMs);
    expect((await post(emulator, { token })).status).toBe(200);
  });

  test("tokens: those of the prompt and the limit of the output; what reaches the limit still passes", async () => {
    const reply = () => ({ text: "x", usage: { inputTokens: 40, outputTokens: 10 } });
    const emulator = await start({ reply, clock: { now: () => 1_700_000_000_000 } });
    emulator.foundry.setQuota("gpt-5.5", { tokensPerMinute: 100 });
    const token = await tokenFor(emulator);
    const body = { model: "gpt-5.5", input: "x" };
    expect(limitsOf(await post(emulator, { token, body }))).toEqual({
      "x-ratelimit-limit-tokens": "100",
      "x-ratelimit-remaining-tokens": "50",
      "x-ratelimit-reset-tokens": "60",
    });
    const most = await post(emulator, { token, body: { ...body, max_output_tokens: 500 } });
    expect(limitsOf(most)).toMatchObject({ "x-ratelimit-remaining-tokens": "0" });
    const refused = await post(emulator, { token, body });
    expect(refused.status).toBe(429);
    expect(refused.headers.get("policy-id")).toBe("DeploymentRatelimit-Token");
    expect(await refused.text()).toContain("exceeded the token rate limit");
    emulator.foundry.setQuota("gpt-5.5", undefined);
    const free = await post(emulator, { token, body });
    expect([free.status, limitsOf(free)]).toEqual([200, {}]);
  });

  test("OpenAI's client waits as long as it is told, and no longer", async () => {
    const emulator = await start({ quotas: { "gpt-5.5": { requestsPerMinute: 1 } } });
    const apiKey = () => tokenFor(emulator);
    const openai = new OpenAI({ baseURL: `${emulator.foundry.url}/openai/v1`, apiKey, maxRetries: 0 });
    const ask = () => openai.responses.create({ model: "gpt-5.5", input: "x" });
    await ask();
    const error = await ask().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RateLimitError);
    emulator.advanceClock(59_950);
    // 50 ms are left: the retry comes after them.
    const patient = openai.withOptions({ maxRetries: 1 });
    const answered = patient.responses.create({ model: "gpt-5.5", input: "x" });
    await expect(answered).resolves.toMatchObject({ status: "completed" });
  });

  test.each<[string, object, string]>([
    ["an unknown field", { "gpt-5.5": { rpm: 3 } }, "no field `rpm`"],
    ["a fraction", { "gpt-5.5": { requestsPerMinute: 1.5 } }, "`quotas.gpt-5.5.requestsPerMinute`"],
    ["no object", { "gpt-5.5": 3 }, "`quotas.gpt-5.5` must be an object"],
  ])("refuses %s", async (_name, quotas, message) => {
    await expect(start({ quotas: quotas as Record<string, Quota> })).rejects.toMatchObject({
      code: "emulator/invalid-option",
      message: expect.stringContaining(message),
    });
  });
});

test("a deployment that is removed does not exist, until it is back", async () => {
  const emulator = await start();
  const token = await tokenFor(emulator);
  const others = emulator.foundry.deployments.filter((name) => name !== "gpt-5.5");
  emulator.foundry.setDeployments(others);
  expect(emulator.foundry.deployments).toEqual(["gpt-4o"]);
  const refused = await post(emulator, { token });
  expect(refused.status).toBe(404);
  expect((await json(refused)).error.code).toBe("DeploymentNotFound");
  emulator.foundry.setDeployments([...others, "gpt-5.5"]);
  expect((await post(emulator, { token })).status).toBe(200);
  expect(() => emulator.foundry.setDeployments("gpt-4o" as never)).toThrow(/`deployments`/);
});

describe("revoked tokens", () => {
  const tokenOf = async (emulator: Awaited<ReturnType<typeof start>>, clientId: string) =>
    (await json(await askIdentity(emulator, { client_id: clientId }))).access_token as string;

  test("one, by itself or by its id", async () => {
    const emulator = await start({ platformCache: false });
    const [first, second] = [await tokenFor(emulator), await tokenFor(emulator)];
    expect(emulator.revoke(first)).toBe(true);
    expect(emulator.revoke(first)).toBe(false);
    expect((await post(emulator, { token: first })).status).toBe(401);
    expect(emulator.requests.at(-1)?.authorization?.verdict).toBe("revoked");
    expect((await post(emulator, { token: second })).status).toBe(200);
    expect(emulator.revoke(emulator.requests.at(-1)?.tokenId ?? "")).toBe(true);
    expect((await post(emulator, { token: second })).status).toBe(401);
    for (const unknown of ["x", "a.b.c", "AAAAAAAAAAAAAAAAAAAAAA"])
      expect(emulator.revoke(unknown)).toBe(false);
    expect(() => emulator.revoke("")).toThrow(/non-empty/);
    expect(emulator.revokeTokens()).toBe(0);
  });

  test("those of one identity", async () => {
    const emulator = await start({ platformCache: false });
    const [ann, bob] = [await tokenOf(emulator, "ann"), await tokenOf(emulator, "bob")];
    expect(emulator.revokeTokens({ clientId: "ann" })).toBe(1);
    expect((await post(emulator, { token: ann })).status).toBe(401);
    expect((await post(emulator, { token: bob })).status).toBe(200);
    const later = await tokenOf(emulator, "ann");
    expect((await post(emulator, { token: later })).status).toBe(200);
    expect(emulator.revokeTokens({ principalId: emulator.identity.principalId })).toBe(2);
    expect((await post(emulator, { token: bob })).status).toBe(401);
    expect(() => emulator.revokeTokens({ user: "ann" } as never)).toThrow(/`clientId` and `principalId`/);
  });
});

describe("scripted replies", () => {
  const text = async (response: Response) => (await json(response)).output[0].content[0].text;

  test("come before the reply function, in order, where they fit, as often as they say", async () => {
    const emulator = await start({ reply: () => "function" });
    const token = await tokenFor(emulator);
    const ask = async (input: string, model = "gpt-5.5") =>
      text(await post(emulator, { token, body: { model, input } }));
    emulator.replies.add({ text: "of gpt-4o", when: { deployment: "gpt-4o" }, times: "always" });
    emulator.replies.add({ text: "of weather", when: { prompt: "weather" }, times: 2 });
    emulator.replies.add("first");
    expect(await ask("hello")).toBe("first");
    expect(await ask("hello")).toBe("function");
    expect(await ask("the weather")).toBe("of weather");
    expect(await ask("weather?", "gpt-4o")).toBe("of gpt-4o");
    expect(await ask("weather?")).toBe("of weather");
    expect(await ask("weather?")).toBe("function");
    emulator.replies.clear();
    expect(await ask("weather?", "gpt-4o")).toBe("function");
  });

  test.each<[string, unknown, string]>([
    ["neither text nor calls", {}, "`text` or `toolCalls` is missing"],
    ["an unknown field", { text: "x", model: "y" }, "no field `model`"],
    ["an unknown condition", { text: "x", when: { user: "y" } }, "`when` has no field `user`"],
    ["a bad count", { text: "x", times: 0 }, "`times`"],
    ["a bigint", { toolCalls: [{ name: "pay", arguments: 1n }] }, "cannot be written as JSON"],
    ["null", null, "`text` or `toolCalls` is missing"],
  ])("refuses %s", async (_name, reply, message) => {
    const emulator = await start();
    expect(() => emulator.replies.add(reply as ScriptedReply)).toThrow(
      expect.objectContaining({ code: "emulator/invalid-reply", message: expect.stringContaining(message) }),
    );
  });
});

test("the clock: a token expires without waiting", async () => {
  const emulator = await start({ tokenLifetimeSeconds: 3600 });
  const token = await tokenFor(emulator);
  expect((await post(emulator, { token })).status).toBe(200);
  emulator.advanceClock(3_601_000);
  expect((await post(emulator, { token })).status).toBe(401);
  expect(emulator.requests.at(-1)?.authorization?.verdict).toBe("expired");
  expect(() => emulator.advanceClock(-1)).toThrow(/from 0 on/);
});

test("reset: as the options said, and nothing scripted", async () => {
  const emulator = await start({ roles: ["Foundry User"], quotas: { "gpt-4o": { requestsPerMinute: 0 } } });
  const token = await tokenFor(emulator);
  emulator.foundry.setRoles([]);
  emulator.foundry.setDeployments([]);
  emulator.foundry.setQuota("gpt-4o", undefined);
  emulator.faults.add({ server: "foundry", kind: "reset", times: "always" });
  emulator.replies.add("scripted");
  emulator.reset();
  expect(emulator.requests).toEqual([]);
  expect(emulator.counts).toEqual({ identity: 0, foundry: 0, unauthorized: 0 });
  const response = await post(emulator, { token });
  expect(response.status).toBe(200);
  expect(await response.text()).not.toContain("scripted");
  expect((await post(emulator, { token, body: { model: "gpt-4o", input: "x" } })).status).toBe(429);
  await emulator.stop();
  for (const call of [() => emulator.reset(), () => emulator.revoke("x"), () => emulator.replies.add("x")])
    expect(call).toThrow(expect.objectContaining({ code: "emulator/closed" }));
});
