// Tests what goes wrong in the middle of a reply, and replies with a chosen end and usage. The real
// client of OpenAI reads them.

import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import type { EmulatorOptions, Fault, Reply } from "../../../js/emulator.js";
import { events, json, post, start, tokenFor } from "./support.js";

const TEXT = "One two three four five.";
const BODIES = {
  "/openai/v1/responses": { model: "gpt-5.5", input: "x" },
  "/openai/v1/chat/completions": { model: "gpt-5.5", messages: [{ role: "user", content: "x" }] },
  "/anthropic/v1/messages": {
    model: "gpt-5.5",
    max_tokens: 100,
    messages: [{ role: "user", content: "x" }],
  },
};
type Path = keyof typeof BODIES;

async function ask(path: Path, options: EmulatorOptions, fault?: object, stream = true) {
  const emulator = await start({ reply: () => TEXT, ...options });
  if (fault) emulator.faults.add({ server: "foundry", ...fault } as Fault);
  const response = await post(emulator, {
    path,
    token: await tokenFor(emulator),
    body: {
      ...BODIES[path],
      stream,
      ...(path.endsWith("completions") ? { stream_options: { include_usage: true } } : {}),
    },
    headers: { "anthropic-version": "2023-06-01" },
  });
  return { emulator, response };
}

async function client(options: EmulatorOptions, fault?: Fault) {
  const emulator = await start({ reply: () => TEXT, ...options });
  if (fault) emulator.faults.add(fault);
  const apiKey = () => tokenFor(emulator);
  const openai = new OpenAI({ baseURL: `${emulator.foundry.url}/openai/v1`, apiKey, maxRetries: 0 });
  return { emulator, openai };
}

describe("stream-error", () => {
  test("Responses: after the first word, the two events that Azure sends", async () => {
    const { response, emulator } = await ask(
      "/openai/v1/responses",
      {},
      { kind: "stream-error", code: "rate_limit_exceeded" },
    );
    expect(response.status).toBe(200);
    const received = await events(response);
    expect(received.map(({ event }) => event).slice(-3)).toEqual([
      "response.output_text.delta",
      "response.failed",
      "error",
    ]);
    const [delta, failed, error] = received.slice(-3).map(({ data }) => data);
    expect(delta.delta).toBe("One ");
    expect(failed.response).toMatchObject({ status: "failed", error: null, output: [], usage: null });
    expect(failed.response.id).toBe(received[0]?.data.response.id);
    expect(error.error).toMatchObject({ type: "too_many_requests", code: "rate_limit_exceeded" });
    expect([delta, failed, error].map((data) => data.sequence_number)).toEqual([4, 5, 6]);
    expect(emulator.requests.at(-1)).toMatchObject({ fault: "stream-error", status: 200, aborted: false });
  });

  test("Responses: one event, at a chosen place, with chosen words", async () => {
    const fault = { kind: "stream-error", afterEvents: 1, code: "server_error", message: "Boom." } as const;
    const failed = await ask("/openai/v1/responses", {}, { ...fault, event: "response.failed" });
    expect((await events(failed.response)).map(({ event }) => event)).toEqual([
      "response.created",
      "response.failed",
    ]);
    const error = await ask("/openai/v1/responses", {}, { ...fault, event: "error" });
    const received = await events(error.response);
    expect(received.map(({ event }) => event)).toEqual(["response.created", "error"]);
    expect(received[1]?.data.error).toMatchObject({ message: "Boom.", type: "server_error" });
  });

  test("Chat Completions and Messages: their own errors, and no end", async () => {
    const chat = await events(
      (await ask("/openai/v1/chat/completions", {}, { kind: "stream-error" })).response,
    );
    expect(chat.at(-1)?.data).toEqual({
      error: {
        message: "The server had an error processing your request. Sorry about that!",
        type: "server_error",
        param: null,
        code: null,
      },
    });
    expect(chat.at(-2)?.data.choices[0].delta).toEqual({ content: "One " });
    const messages = await events(
      (await ask("/anthropic/v1/messages", {}, { kind: "stream-error" })).response,
    );
    expect(messages.at(-1)).toEqual({
      event: "error",
      data: { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
    });
  });

  test.each<[Path, string | undefined, number]>([
    ["/openai/v1/responses", undefined, 500],
    ["/openai/v1/chat/completions", "no_capacity", 429],
    ["/anthropic/v1/messages", "rate_limit_exceeded", 429],
  ])("%s without a stream: the error alone", async (path, code, status) => {
    const fault = { kind: "stream-error", ...(code === undefined ? {} : { code }) } as const;
    const { response } = await ask(path, {}, fault, false);
    expect(response.status).toBe(status);
    expect((await json(response)).error.message).not.toBe("");
  });

  test("OpenAI's client throws it from the stream", async () => {
    const { openai } = await client({}, { server: "foundry", kind: "stream-error" });
    const stream = await openai.chat.completions.create({
      model: "gpt-5.5",
      messages: [{ role: "user", content: "x" }],
      stream: true,
    });
    let text = "";
    const reading = (async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    })();
    await expect(reading).rejects.toThrow("The server had an error");
    expect(text).toBe("One ");
  });
});

describe("length", () => {
  const fault = { kind: "length", afterWords: 2 } as const;

  test("Responses: incomplete, with what was said so far", async () => {
    const { openai } = await client({}, { server: "foundry", ...fault });
    const response = await openai.responses.create({ model: "gpt-5.5", input: "x" });
    expect(response).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      output_text: "One two ",
      usage: { output_tokens: 2 },
    });
    const streamed = await events((await ask("/openai/v1/responses", {}, fault)).response);
    expect(streamed.at(-1)).toMatchObject({
      event: "response.incomplete",
      data: { response: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } } },
    });
    expect(streamed.filter(({ event }) => event === "response.output_text.delta")).toHaveLength(2);
  });

  test("Chat Completions and Messages", async () => {
    const chat = await events((await ask("/openai/v1/chat/completions", {}, fault)).response);
    expect(chat.map(({ data }) => data.choices?.[0]?.finish_reason).filter(Boolean)).toEqual(["length"]);
    const messages = await events((await ask("/anthropic/v1/messages", {}, fault)).response);
    expect(messages.at(-2)?.data.delta).toEqual({ stop_reason: "max_tokens", stop_sequence: null });
  });
});

describe("replies with a chosen end and usage", () => {
  const usage = { inputTokens: 1200, outputTokens: 34, cachedTokens: 1000, reasoningTokens: 30 };

  test.each<[Path, object]>([
    [
      "/openai/v1/responses",
      {
        input_tokens: 1200,
        input_tokens_details: { cached_tokens: 1000 },
        output_tokens: 34,
        output_tokens_details: { reasoning_tokens: 30 },
        total_tokens: 1234,
      },
    ],
    [
      "/openai/v1/chat/completions",
      {
        prompt_tokens: 1200,
        completion_tokens: 34,
        total_tokens: 1234,
        prompt_tokens_details: { cached_tokens: 1000 },
        completion_tokens_details: { reasoning_tokens: 30 },
      },
    ],
    [
      "/anthropic/v1/messages",
      { input_tokens: 200, cache_creation_input_tokens: 0, cache_read_input_tokens: 1000, output_tokens: 34 },
    ],
  ])("%s", async (path, expected) => {
    const reply = () => ({ text: "x", usage });
    expect((await json((await ask(path, { reply }, undefined, false)).response)).usage).toEqual(expected);
    const streamed = await events((await ask(path, { reply })).response);
    expect(JSON.stringify(streamed)).toContain(
      '"output_tokens":34'.replace("output", path.includes("chat") ? "completion" : "output"),
    );
  });

  test("the content filter cuts a reply off", async () => {
    const reply = () => ({ text: "x", finish: "content-filter" }) as const;
    const { openai } = await client({ reply });
    const messages = [{ role: "user" as const, content: "x" }];
    const chat = await openai.chat.completions.create({ model: "gpt-5.5", messages });
    expect(chat.choices[0]?.finish_reason).toBe("content_filter");
    const response = await openai.responses.create({ model: "gpt-5.5", input: "x" });
    expect(response.incomplete_details).toEqual({ reason: "content_filter" });
  });
});

const circle: { self?: object } = {};
circle.self = circle;

test.each<[string, unknown, string]>([
  [
    "a bigint",
    { toolCalls: [{ name: "pay", arguments: { cents: 3n } }] },
    "the tool call pay cannot be written as JSON",
  ],
  ["a circle", { toolCalls: [{ name: "pay", arguments: circle }] }, "cannot be written as JSON"],
  ["a function", { toolCalls: [{ name: "pay", arguments: () => 1 }] }, "cannot be written as JSON"],
  ["an unknown field", { text: "x", finishReason: "length" }, "no field `finishReason`"],
  ["a bad end", { text: "x", finish: "end" }, "`finish`"],
  ["bad usage", { text: "x", usage: { inputTokens: 1.5 } }, "`usage.inputTokens`"],
  ["unknown usage", { text: "x", usage: { tokens: 1 } }, "no field `tokens`"],
  ["a call without a name", { toolCalls: [{}] }, "`name`"],
  ["nothing", undefined, "must be a string or an object"],
])("a reply function that returns %s: the error says so", async (_name, value, message) => {
  const { response } = await ask("/openai/v1/responses", { reply: () => value as Reply }, undefined, false);
  expect(response.status).toBe(400);
  const { error } = await json(response);
  expect(error.code).toBe("emulator/reply-failed");
  expect(error.message).toContain(message);
});
