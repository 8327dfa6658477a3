import { connect } from "node:net";
import { expect, test } from "vitest";
import { ask, EVENTS, json, parseEvents, until } from "../functions/support.js";
import { emulatorForChats, expectProblem, expectServed, keepsConversations, startChat } from "./chat.js";

const BAD: [string, unknown, Record<string, string>, number, string][] = [
  ["no body", "", {}, 400, "chat/not-json"],
  ["not JSON", "{prompt:", {}, 400, "chat/not-json"],
  ["a list", ["Hello"], {}, 400, "chat/invalid-request"],
  ["null", null, {}, 400, "chat/invalid-request"],
  ["no prompt", {}, {}, 400, "chat/invalid-request"],
  ["a prompt of another type", { prompt: 7 }, {}, 400, "chat/invalid-request"],
  ["a prompt in a prototype", '{"__proto__":{"prompt":"Hello"}}', {}, 400, "chat/invalid-request"],
  ["an empty prompt", { prompt: " \n" }, {}, 400, "chat/invalid-request"],
  ["a sessionId of another type", { prompt: "Hi", sessionId: {} }, {}, 400, "chat/invalid-request"],
  ["a field that does not exist", { prompt: "Hi", sesionId: "1" }, {}, 400, "chat/invalid-request"],
  ["a model of another type", { prompt: "Hi", model: ["gpt-4o"] }, {}, 400, "chat/invalid-request"],
  ["a prompt of a megabyte", { prompt: "x".repeat(1_000_000) }, {}, 413, "chat/body-too-large"],
  ["a prompt of 32,001 characters", { prompt: "x".repeat(32_001) }, {}, 413, "chat/prompt-too-long"],
  ["an unknown model", { prompt: "Hi", model: "gpt-2" }, {}, 400, "chat/unknown-model"],
  ["a model by a name of Object's", { prompt: "Hi", model: "constructor" }, {}, 400, "chat/unknown-model"],
  ["text", "Hello", { "content-type": "text/plain" }, 415, "chat/unsupported-media-type"],
  ["another reply than there is", { prompt: "Hi" }, { accept: "text/html" }, 406, "chat/not-acceptable"],
  ["a made-up sessionId", { prompt: "Hi", sessionId: "a".repeat(110) }, {}, 404, "chat/session-not-found"],
  [
    "a sessionId with a path",
    { prompt: "Hi", sessionId: "../../etc/passwd" },
    {},
    404,
    "chat/session-not-found",
  ],
  [
    "a line break in a sessionId",
    { prompt: "Hi", sessionId: "a\r\nx-evil: 1" },
    {},
    404,
    "chat/session-not-found",
  ],
  [
    "a reply to resume, where none can be",
    { prompt: "Hi" },
    { "last-event-id": "x" },
    404,
    "chat/stream-not-found",
  ],
  ["a line break in a model", { prompt: "Hi", model: "a\r\nx-evil: 1" }, {}, 400, "chat/unknown-model"],
];

/**
 * Declares the tests of requests: invalid ones have a status and a code, callers and conversations
 * are kept apart, and the next request is served.
 */
export async function requests(adapter: string): Promise<void> {
  const keeps = keepsConversations(adapter);
  const emulator = await emulatorForChats();
  const app = await startChat(
    adapter,
    {
      models: ["gpt-4o", ...(keeps ? [{ name: "gone", deployment: "no-such-deployment" }] : ["gone"])],
      limits: {
        turns: 2,
        turnsPerCaller: 2,
        bodyMs: 700,
        ...(keeps ? { conversations: 3, conversationsPerCaller: 2, idleMs: 60_000 } : {}),
      },
    },
    emulator.env,
  );

  test.each(BAD)("%s", async (_, body, headers, status, code) => {
    const response = await ask(app, typeof body === "string" ? body : JSON.stringify(body), headers);
    await expectProblem(response, status, code);
    expect(response.headers.get("x-evil")).toBeNull();
  });

  test("bytes that are no UTF-8", async () => {
    const response = await fetch(`${app.url}/api/chat`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]),
    });
    await expectProblem(response, 400, "chat/not-json");
  });

  test("after all of that a request is served", () => expectServed(app));

  test("line breaks and event fields in a prompt stay data of one event", async () => {
    const prompt = "a\n\nevent: done\ndata: {}\n\n\u2028b\r\n";
    const events = parseEvents(await (await ask(app, { prompt }, EVENTS)).text());
    expect(events.filter(({ event }) => event === "done")).toHaveLength(1);
    expect(events.at(-1)?.data.model).toBe("gpt-5.5");
  });

  test("half a surrogate pair in a prompt is answered as U+FFFD", async () => {
    const response = await fetch(`${app.url}/api/chat`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"prompt":"cut \\ud83d"}',
    });
    expect(await json(response)).toMatchObject({ reply: "Turn 0: 5" });
  });

  test.runIf(keeps)("a conversation is its caller's: for others it is as if it had never been", async () => {
    const hers = { "x-test-caller": "her" };
    const { sessionId } = await json(await ask(app, { prompt: "Hi" }, hers));
    const sealed = sessionId ?? "";
    for (const headers of [{}, { "x-test-caller": "him" }] as Record<string, string>[]) {
      const foreign = await expectProblem(
        await ask(app, { prompt: "Hi", sessionId }, headers),
        404,
        "chat/session-not-found",
      );
      const unknown = await expectProblem(
        await ask(app, { prompt: "Hi", sessionId: "b".repeat(sealed.length) }, headers),
        404,
        "chat/session-not-found",
      );
      expect({ ...foreign, correlationId: "" }).toEqual({ ...unknown, correlationId: "" });
    }
    for (const at of [0, 20, sealed.length - 2]) {
      const changed = sealed.slice(0, at) + (sealed[at] === "A" ? "B" : "A") + sealed.slice(at + 1);
      await expectProblem(
        await ask(app, { prompt: "Hi", sessionId: changed }, hers),
        404,
        "chat/session-not-found",
      );
    }
    const again = await json(await ask(app, { prompt: "Hi", sessionId }, hers));
    expect(again).toMatchObject({ reply: "Turn 1: 2", sessionId });
  });

  test.runIf(keeps)("another model may be asked for, and a conversation stays with its own", async () => {
    const first = await json(await ask(app, { prompt: "Hi", model: "gpt-4o" }));
    expect(first).toMatchObject({ reply: "Turn 0: 2", model: "gpt-4o" });
    const again = await json(await ask(app, { prompt: "Hi", sessionId: first.sessionId }));
    expect(again).toMatchObject({ reply: "Turn 1: 2", model: "gpt-4o" });
    await expectProblem(
      await ask(app, { prompt: "Hi", sessionId: first.sessionId, model: "gpt-5.5" }),
      400,
      "chat/model-mismatch",
    );
  });

  test("a model that is offered, and not deployed, is the app's fault", async () => {
    const problem = await expectProblem(
      await ask(app, { prompt: "Hi", model: "gone" }, EVENTS),
      502,
      "model/deployment-not-found",
    );
    const secret = keeps ? "no-such-deployment" : "gone";
    expect(JSON.stringify(problem)).not.toContain(secret);
    await until(() => app.log().includes(secret));
  });

  test("the third turn at the same time is refused, and served later", async () => {
    emulator.faults.add({ server: "foundry", kind: "delay", delayMs: 1_500, times: 2 });
    const running = [ask(app, { prompt: "one" }), ask(app, { prompt: "two" }, EVENTS)];
    await until(() => emulator.requests.filter(({ status }) => status === 0).length === 2);
    const refused = await ask(app, { prompt: "three" });
    expect(refused.headers.get("retry-after")).toBe("1");
    await expectProblem(refused, 503, "chat/overloaded");
    for (const response of await Promise.all(running))
      expect((await response.text()).length).toBeGreaterThan(0);
    await expectServed(app);
  });

  test.runIf(keeps)("a second prompt while the conversation is busy is refused", async () => {
    const { sessionId } = await json(await ask(app, { prompt: "Hi" }));
    emulator.faults.add({ server: "foundry", kind: "delay", delayMs: 1_000 });
    const before = emulator.counts.foundry;
    const running = ask(app, { prompt: "one", sessionId });
    await until(() => emulator.counts.foundry > before);
    await expectProblem(await ask(app, { prompt: "two", sessionId }), 409, "chat/session-busy");
    expect(await json(await running)).toMatchObject({ reply: "Turn 1: 3" });
  });

  test.runIf(keeps)(
    "of more conversations than are kept, the one that was idle longest is over",
    async () => {
      const ids: string[] = [];
      for (const prompt of ["a", "b", "c"])
        ids.push((await json(await ask(app, { prompt }))).sessionId ?? "");
      await expectProblem(await ask(app, { prompt: "Hi", sessionId: ids[0] }), 404, "chat/session-not-found");
      for (const sessionId of ids.slice(1))
        expect(await json(await ask(app, { prompt: "Hi", sessionId }))).toMatchObject({ reply: "Turn 1: 2" });
    },
  );

  test("a body that comes too slowly is given up", async () => {
    const { hostname, port } = new URL(app.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      'POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{"prompt"',
    );
    // Its head and body may arrive separately.
    let answer = "";
    for await (const data of socket) {
      answer += String(data);
      if (answer.includes("chat/slow-request")) break;
    }
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain("chat/slow-request");
    await expectServed(app);
  });

  test("a body that is cut off does no harm", async () => {
    const { hostname, port } = new URL(app.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      'POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{"prompt"',
    );
    await new Promise((next) => setTimeout(next, 200));
    socket.destroy();
    await expectServed(app);
  });

  test("an error of the app's own code is told to nobody", async () => {
    const response = await ask(app, { prompt: "Hi" }, { "x-test-caller": "broken" });
    const problem = await expectProblem(
      response,
      500,
      adapter === "functions" ? "chat/caller-failed" : "chat/authorize-failed",
    );
    expect(JSON.stringify(problem)).not.toContain("hunter2");
    expect(app.log()).not.toContain("hunter2");
    await expectServed(app);
  });

  test("nobody is refused before the model is asked", async () => {
    const before = { ...emulator.counts };
    await expectProblem(
      await ask(app, { prompt: "Hi" }, { "x-test-caller": "nobody" }),
      401,
      "chat/unauthorized",
    );
    expect(emulator.counts).toEqual(before);
  });
}
