// Tests the addresses that programs build from `FOUNDRY_RESOURCE_URL`, and the routes besides those of
// the model.

import OpenAI, { AzureOpenAI } from "openai";
import { describe, expect, test } from "vitest";
import { json, post, start, tokenFor } from "./support.js";

describe("programs that are given FOUNDRY_RESOURCE_URL", () => {
  test.each([
    ["append /openai/v1/, as the guides do", "/openai/v1/", "/openai/v1/responses"],
    ["append /openai/v1", "/openai/v1", "/openai/v1/responses"],
    ["append /v1, as for local servers", "/v1", "/v1/responses"],
  ])("%s", async (_name, suffix, path) => {
    const emulator = await start();
    const baseURL = `${emulator.env.FOUNDRY_RESOURCE_URL}${suffix}`;
    const openai = new OpenAI({ baseURL, apiKey: () => tokenFor(emulator) });
    const response = await openai.responses.create({ model: "gpt-5.5", input: "hello" });
    expect(response.output_text).toContain("hello");
    const chat = await openai.chat.completions.create({
      model: "gpt-5.5",
      messages: [{ role: "user", content: "hello" }],
    });
    expect(chat.choices[0]?.message.content).toContain("hello");
    expect(emulator.requests.filter(({ server }) => server === "foundry")[0]?.path).toBe(path);
  });

  test("use the dated routes", async () => {
    const emulator = await start();
    const openai = new AzureOpenAI({
      endpoint: emulator.env.FOUNDRY_RESOURCE_URL,
      apiVersion: "2024-10-21",
      azureADTokenProvider: () => tokenFor(emulator),
    });
    const messages = [{ role: "user" as const, content: "hello" }];
    const chat = await openai.chat.completions.create({ model: "gpt-5.5", messages });
    expect(chat.choices[0]?.message.content).toContain("hello");
  });

  test("call Anthropic's routes", async () => {
    const emulator = await start();
    const token = await tokenFor(emulator);
    const headers = { "anthropic-version": "2023-06-01" };
    const body = { model: "gpt-5.5", max_tokens: 9, messages: [{ role: "user", content: "hello" }] };
    for (const base of ["/anthropic/v1", "/v1"]) {
      expect((await post(emulator, { token, path: `${base}/messages`, body, headers })).status).toBe(200);
      const { max_tokens: _, ...counted } = body;
      const count = await post(emulator, {
        token,
        path: `${base}/messages/count_tokens`,
        body: counted,
        headers,
      });
      expect(count.status).toBe(200);
      expect(await json(count)).toEqual({ input_tokens: Math.ceil(JSON.stringify(counted).length / 4) });
    }
    const path = "/anthropic/v1/messages/count_tokens";
    expect((await post(emulator, { token, path, body })).status).toBe(400);
    expect((await post(emulator, { token, path, body: { model: "gpt-5.5" }, headers })).status).toBe(400);
    expect((await post(emulator, { token, path, body: { ...body, model: "x" }, headers })).status).toBe(404);
    expect((await post(emulator, { path, body, headers })).status).toBe(401);
  });
});

describe("embeddings", () => {
  const options = { deployments: ["text-embedding-3-small"] };

  test("of OpenAI's client: the same text has the same vector of length 1", async () => {
    const emulator = await start(options);
    const openai = new OpenAI({
      baseURL: `${emulator.env.FOUNDRY_RESOURCE_URL}/openai/v1`,
      apiKey: () => tokenFor(emulator),
    });
    const model = "text-embedding-3-small";
    const { data, usage } = await openai.embeddings.create({ model, input: ["one", "two", "one"] });
    expect(usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
    const [one, two, again] = data.map(({ embedding }) => embedding);
    expect(one).toHaveLength(1536);
    expect(one).toEqual(again);
    expect(one).not.toEqual(two);
    expect(Math.hypot(...(one as number[]))).toBeCloseTo(1, 5);
    const short = await openai.embeddings.create({
      model,
      input: "one",
      dimensions: 3,
      encoding_format: "float",
    });
    expect(short.data[0]?.embedding).toHaveLength(3);
  });

  test("of the dated route, and what is refused", async () => {
    const emulator = await start({
      ...options,
      quotas: { "text-embedding-3-small": { requestsPerMinute: 1 } },
    });
    const token = await tokenFor(emulator);
    const path = "/openai/deployments/text-embedding-3-small/embeddings?api-version=2024-10-21";
    for (const body of [{}, { input: "" }, { input: [] }, { input: [3, "x"] }, { input: "x", dimensions: 0 }])
      expect((await post(emulator, { token, path, body })).status).toBe(400);
    const answered = await post(emulator, { token, path, body: { input: [[1, 2], [3]] } });
    expect((await json(answered)).data).toHaveLength(2);
    expect(answered.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    expect((await post(emulator, { token, path, body: { input: "x" } })).status).toBe(429);
    expect((await post(emulator, { path, body: { input: "x" } })).status).toBe(401);
    emulator.foundry.setRoles([]);
    const refused = await post(emulator, { token, path, body: { input: "x" } });
    expect(await refused.text()).toContain("OpenAI/deployments/embeddings/action");
  });
});

describe("lists", () => {
  test("of models and deployments, by version", async () => {
    const emulator = await start();
    const token = await tokenFor(emulator);
    const get = async (path: string) => {
      const response = await fetch(emulator.foundry.url + path, {
        headers: { authorization: `Bearer ${token}` },
      });
      return { status: response.status, ...(await json(response)) };
    };
    const ids = (list: { data: { id: string }[] }) => list.data.map(({ id }) => id);
    for (const path of ["/openai/v1/models", "/v1/models", "/openai/models?api-version=2024-10-21"])
      expect(ids(await get(path)), path).toEqual(["gpt-5.5", "gpt-4o"]);
    expect(await get("/openai/v1/models/gpt-4o")).toMatchObject({ id: "gpt-4o", object: "model" });
    expect((await get("/openai/v1/models/none")).status).toBe(404);
    expect((await get("/openai/models")).status).toBe(404);
    const deployments = await get("/openai/deployments?api-version=2022-12-01");
    expect(deployments.data[0]).toMatchObject({ id: "gpt-5.5", status: "succeeded" });
    expect((await get("/openai/deployments?api-version=2024-10-21")).status).toBe(404);
    emulator.foundry.setDeployments(["gpt-4o"]);
    expect(ids(await get("/openai/v1/models"))).toEqual(["gpt-4o"]);
  });

  test("need a role", async () => {
    const emulator = await start({ roles: [] });
    const headers = { authorization: `Bearer ${await tokenFor(emulator)}` };
    const path = "/openai/deployments?api-version=2022-12-01";
    const response = await fetch(emulator.foundry.url + path, { headers });
    expect(response.status).toBe(401);
    expect(await response.text()).toContain("OpenAI/deployments/read");
  });
});
