// What every chat handler promises over HTTP, whatever serves it. The emulator replaces Azure; the
// Copilot runtime is the real one.

import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { root } from "../../support/process.js";
import { residentBytes } from "../../support/processes.mjs";
import {
  appWith,
  ask,
  EVENTS,
  emulatorForApps,
  json,
  parseEvents,
  type StartedApp,
  startApp,
  startProgram,
  until,
} from "../functions/support.js";

/** More than the sockets between the handler and its caller hold. */
const LONG = `${"x".repeat(160_000)} `.repeat(100);
/** Takes two seconds. */
const SLOW = Array.from({ length: 200 }, (_, index) => `word${index}`).join(" ");
const TEXTS: Record<string, string> = { "At length": LONG, Slowly: SLOW };

/** The caller's test function of the Functions app; that of the others is in the program. */
const CALLER = `(request) => {
  const name = request.headers.get("x-test-caller") ?? "anybody";
  if (name === "broken") throw new Error("password=hunter2 is wrong");
  return name === "nobody" ? false : name;
}`;

/** Starts a chat behind one kind of server. */
export function startChat(
  adapter: string,
  options: Record<string, unknown>,
  env: Record<string, string>,
): Promise<StartedApp> {
  const json = JSON.stringify(options);
  if (adapter === "functions") return startApp(appWith(`{ ...${json}, caller: ${CALLER} }`), env);
  return startProgram([join(root, "tests/support/chat-server/main.mjs"), adapter, json], env);
}

/** Declares the tests of a chat behind one kind of server. */
export async function conforms(adapter: string): Promise<void> {
  const keeps = adapter !== "edge";
  const emulator = await emulatorForApps({
    chunkDelayMs: 10,
    reply: ({ prompt, turn }) => TEXTS[prompt] ?? `Turn ${turn}: ${prompt.length}`,
  });
  // Removes a test's faults before the next one.
  afterEach(() => emulator.faults.clear());
  const LIMITS = { turns: 2, turnsPerCaller: 2, bodyMs: 700, stallMs: 1_500 };
  const app = await startChat(
    adapter,
    {
      models: ["gpt-4o", ...(keeps ? [{ name: "gone", deployment: "no-such-deployment" }] : ["gone"])],
      limits: {
        ...LIMITS,
        ...(keeps ? { conversations: 3, conversationsPerCaller: 2, idleMs: 60_000 } : {}),
      },
    },
    emulator.env,
  );
  const conversations = test.runIf(keeps);

  async function expectServed(): Promise<void> {
    const response = await ask(app, { prompt: "Still there?" });
    expect(response.status).toBe(200);
    expect(await json(response)).toMatchObject({ reply: "Turn 0: 12" });
  }

  async function expectProblem(
    response: Response,
    status: number,
    code: string,
  ): Promise<Record<string, unknown>> {
    const text = await response.text();
    expect([response.status, JSON.parse(text).code]).toEqual([status, code]);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const problem = JSON.parse(text);
    expect(problem).toMatchObject({
      status,
      title: expect.stringMatching(/^[A-Z]/),
      detail: expect.stringMatching(/./),
      correlationId: response.headers.get("x-correlation-id"),
    });
    expect(text).not.toMatch(/eyJ|\bat .*:\d+:\d+/);
    return problem;
  }

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
    ["a line break in a model", { prompt: "Hi", model: "a\r\nx-evil: 1" }, {}, 400, "chat/unknown-model"],
  ];

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

  test("after all of that a request is served", expectServed);

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

  conversations("a conversation is its caller's: for others it is as if it had never been", async () => {
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

  conversations("another model may be asked for, and a conversation stays with its own", async () => {
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
    await expectServed();
  });

  conversations("a second prompt while the conversation is busy is refused", async () => {
    const { sessionId } = await json(await ask(app, { prompt: "Hi" }));
    emulator.faults.add({ server: "foundry", kind: "delay", delayMs: 1_000 });
    const before = emulator.counts.foundry;
    const running = ask(app, { prompt: "one", sessionId });
    await until(() => emulator.counts.foundry > before);
    await expectProblem(await ask(app, { prompt: "two", sessionId }), 409, "chat/session-busy");
    expect(await json(await running)).toMatchObject({ reply: "Turn 1: 3" });
  });

  conversations("of more conversations than are kept, the one that was idle longest is over", async () => {
    const ids: string[] = [];
    for (const prompt of ["a", "b", "c"]) ids.push((await json(await ask(app, { prompt }))).sessionId ?? "");
    await expectProblem(await ask(app, { prompt: "Hi", sessionId: ids[0] }), 404, "chat/session-not-found");
    for (const sessionId of ids.slice(1))
      expect(await json(await ask(app, { prompt: "Hi", sessionId }))).toMatchObject({ reply: "Turn 1: 2" });
  });

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
    await expectServed();
  });

  test("a body that is cut off does no harm", async () => {
    const { hostname, port } = new URL(app.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      'POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{"prompt"',
    );
    await new Promise((next) => setTimeout(next, 200));
    socket.destroy();
    await expectServed();
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
    await expectServed();
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

  const turns = async () =>
    ((await (await fetch(`${app.url}/api/health`)).json()) as { turns: number }).turns;

  test.each([{}, EVENTS])(
    "a caller who leaves before the reply begins: the turn ends, and its place is free: %j",
    async (headers) => {
      for (let round = 0; round < 3; round += 1) {
        const before = emulator.counts.foundry;
        emulator.faults.add({ server: "foundry", kind: "delay", delayMs: 60_000 });
        const stop = new AbortController();
        const left = ask(app, { prompt: "Slow" }, headers as Record<string, string>, stop.signal).catch(
          ({ name }) => name,
        );
        await until(() => emulator.counts.foundry > before);
        stop.abort();
        expect(await left).toBe("AbortError");
        await until(() => emulator.requests.at(-1)?.aborted === true);
      }
      await until(async () => (await turns()) === 0);
      await expectServed();
    },
  );

  test("the first event comes long before the last, and a caller who leaves then ends the turn", async () => {
    const stop = new AbortController();
    const response = await ask(app, { prompt: "Slowly" }, EVENTS, stop.signal);
    const { value } = (await response.body?.getReader().read()) ?? {};
    expect(new TextDecoder().decode(value)).toMatch(/^event: delta\n/);
    const asked = emulator.requests.at(-1);
    stop.abort();
    // It had not been answered in full.
    await until(() => asked?.aborted === true);
    await until(async () => (await turns()) === 0);
    await expectServed();
  });

  /** Begins a long reply, and reads only its head. */
  async function stalled(): Promise<IncomingMessage> {
    const headers = { "content-type": "application/json", ...EVENTS };
    const sent = request(`${app.url}/api/chat`, { method: "POST", agent: false, headers });
    sent.on("error", () => {});
    sent.end(JSON.stringify({ prompt: "At length" }));
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.pause();
    return response;
  }

  test("a slow reader receives everything", async () => {
    const response = await stalled();
    await new Promise((next) => setTimeout(next, 500));
    let text = "";
    for await (const chunk of response) text += chunk;
    const deltas = parseEvents(text).filter(({ event }) => event === "delta");
    expect(deltas.map(({ data }) => data.text).join("").length).toBe(LONG.length);
    expect(text).toContain("event: done");
  });

  test("a reader who stops is cut off, and costs no more than the reply", async () => {
    const before = residentBytes(app.process.pid);
    const responses = [await stalled(), await stalled()];
    for (const response of responses) response.on("error", () => {});
    expect(await turns()).toBe(2);
    let most = 0;
    await until(async () => {
      most = Math.max(most, residentBytes(app.process.pid) - before);
      return (await turns()) === 0;
    });
    for (const response of responses) response.resume();
    await Promise.all(responses.map((response) => response.closed || once(response, "close")));
    expect(responses.map(({ complete }) => complete)).toEqual([false, false]);
    expect(app.log()).toContain("chat/slow-reader");
    expect(most).toBeLessThan(20 * LONG.length);
    await expectServed();
  });

  if (keeps) await resumes(adapter, emulator);
}

/** Declares the tests of replies that can be resumed, and of the end of a server. */
async function resumes(
  adapter: string,
  emulator: Awaited<ReturnType<typeof emulatorForApps>>,
): Promise<void> {
  const RESUME_MS = 3_000;
  const app = await startChat(
    adapter,
    { resumeMs: RESUME_MS, limits: { turns: 3, resumeEvents: 60 } },
    emulator.env,
  );
  const by = (caller: string, more: Record<string, string> = {}) => ({
    "x-test-caller": caller,
    ...EVENTS,
    ...more,
  });
  const health = async () =>
    (await (await fetch(`${app.url}/api/health`)).json()) as { turns: number; state: string };

  /** Begins a reply, and loses its connection after the first events. Returns them. */
  async function interrupted(prompt = "Slowly", caller = "ann") {
    const stop = new AbortController();
    const response = await ask(app, { prompt }, by(caller), stop.signal);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (text.split("\n\n").length < 4) text += (await reader?.read())?.value ?? "";
    stop.abort();
    const events = parseEvents(text.slice(0, text.lastIndexOf("\n\n")));
    return { events, last: events.at(-1)?.id ?? "" };
  }
  const resume = (id: string, caller = "ann", body: unknown = {}) =>
    ask(app, body, by(caller, { "last-event-id": id }));
  const textOf = (events: { event: string; data: Record<string, unknown> }[]) =>
    events.map(({ data }) => data.text ?? "").join("");
  async function codeOf(response: Response) {
    return [response.status, (await json(response)).code];
  }

  test("a lost connection is resumed after the last event: nothing is lost, doubled, or asked again", async () => {
    const { events, last } = await interrupted();
    const asked = emulator.counts.foundry;
    const rest = parseEvents(await (await resume(last)).text());
    expect(textOf([...events, ...rest])).toBe(SLOW);
    expect(rest.at(-1)?.event).toBe("done");
    expect(emulator.counts.foundry).toBe(asked);
    // The last events may have been lost, too.
    const again = parseEvents(await (await resume(rest.at(-3)?.id ?? "")).text());
    expect(again.map(({ id }) => id)).toEqual(rest.slice(-2).map(({ id }) => id));
    expect((await health()).turns).toBe(0);
  });

  test("by the same caller only", async () => {
    const { last } = await interrupted();
    for (const [id, caller] of [
      [last, "bob"],
      [last.replace(/^./, (c) => (c === "0" ? "1" : "0")), "ann"],
      [`${last}999`, "ann"],
      ["", "ann"],
      ["x", "ann"],
    ] as const)
      expect(await codeOf(await resume(id, caller))).toEqual([404, "chat/stream-not-found"]);
    expect(await codeOf(await resume(last, "nobody"))).toEqual([401, "chat/unauthorized"]);
    expect(await codeOf(await resume(last, "bob", { cancel: true }))).toEqual([404, "chat/stream-not-found"]);
    expect((await resume(last)).status).toBe(200);
  });

  test("a caller who cancels ends the turn at once", async () => {
    const { last } = await interrupted();
    const asked = emulator.requests.at(-1);
    expect(await json(await resume(last, "ann", { cancel: true }))).toEqual({ cancelled: true });
    await until(() => asked?.aborted === true);
    expect(await codeOf(await resume(last))).toEqual([404, "chat/stream-not-found"]);
  });

  test("a caller who does not come back ends the turn after resumeMs", async () => {
    await until(async () => (await health()).turns === 0);
    emulator.faults.add({ server: "foundry", kind: "slow-body", delayMs: 60_000 });
    const { last } = await interrupted("Slowly", "eve");
    expect((await health()).turns).toBe(1);
    await until(async () => (await health()).turns === 0);
    expect(await codeOf(await resume(last, "eve"))).toEqual([404, "chat/stream-not-found"]);
  });

  test("a caller who has missed more than is kept is told so", async () => {
    const { events, last } = await interrupted();
    await until(async () => (await health()).turns === 0);
    expect(await codeOf(await resume(last))).toEqual([410, "chat/events-dropped"]);
    expect(textOf(events)).not.toBe(SLOW);
  });

  test("a server that ends refuses new turns, and lets the running ones end", async () => {
    const running = [
      ask(app, { prompt: "Slowly" }, by("ann")),
      ask(app, { prompt: "Slowly" }, { "x-test-caller": "bob" }),
    ];
    await until(async () => (await health()).turns === 2);
    const stopped = app.stop();
    await until(async () => (await health()).state === "closing");
    expect((await fetch(`${app.url}/api/health`)).status).toBe(503);
    expect(await codeOf(await ask(app, { prompt: "Hi" }))).toEqual([503, "chat/closing"]);
    const [events, body] = await Promise.all(running.map(async (response) => (await response).text()));
    expect(textOf(parseEvents(events ?? ""))).toBe(SLOW);
    expect(JSON.parse(body ?? "").reply).toBe(SLOW);
    expect(await stopped).toBe(0);
  });
}
