// Tests the limits of the edge handler: who may call, how long a reply may take, and how much one
// caller may use.

import { createEdgeChatHandler, type EdgeChatOptions } from "copilot-keyless/edge";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { costOfTrickles } from "../../support/trickle.js";

const LONG = "word ".repeat(400);
const emulator = await startEmulator({
  chunkDelayMs: 0,
  tokenRevocation: true,
  reply: ({ prompt }) => (prompt === "At length" ? LONG : `You said: "${prompt}"`),
});
afterAll(() => emulator.stop());
const handlers: ReturnType<typeof createEdgeChatHandler>[] = [];
afterEach(() => {
  emulator.faults.clear();
  for (const handler of handlers.splice(0)) handler.close();
});

type Options = Omit<EdgeChatOptions, "authorize"> & Partial<Pick<EdgeChatOptions, "authorize">>;

function handler(options: Options = {}) {
  const made = createEdgeChatHandler({ env: { ...emulator.env }, authorize: "anonymous", ...options });
  handlers.push(made);
  return made;
}

function asking(
  prompt: string,
  { headers = {}, ...init }: Omit<RequestInit, "headers"> & { headers?: Record<string, string> } = {},
) {
  return new Request("http://edge.example/chat", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ prompt }),
    ...init,
  });
}

const EVENTS = { accept: "text/event-stream" };
/** A credential that never responds. */
const HANGS = { getToken: () => new Promise<never>(() => {}) };
const FORMS: [string, Record<string, string>][] = [
  ["JSON", {}],
  ["events", EVENTS],
];
const ONE = { turns: 1 };

async function codeOf(response: Response) {
  return [response.status, ((await response.json()) as { code: string }).code];
}

/** Asks until an answer comes: on a busy machine, one may take longer than a short `timeoutMs`. */
async function expectServed(chat: (request: Request) => Promise<Response>): Promise<void> {
  const ask = async () => {
    const response = await chat(asking("Still there?"));
    return [response.status, await response.text()];
  };
  await expect.poll(ask, { timeout: 20_000 }).toEqual([200, expect.stringContaining("Still there?")]);
}

/**
 * Creates a byte stream that records its cancellation. `next` returns a chunk, or undefined if
 * there is none yet.
 */
function source(next: () => Uint8Array | undefined) {
  const state = { cancelled: false, sent: 0 };
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = next();
        if (!chunk) return new Promise(() => {});
        state.sent += chunk.byteLength;
        controller.enqueue(chunk);
      },
      cancel() {
        state.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { state, stream };
}

const streamed = (body: ReadableStream) => ({ body, duplex: "half" as const });

describe("one deadline for all of a turn", () => {
  test("a credential that hangs: 504 in time, and the slot is free", async () => {
    const chat = handler({ credential: HANGS, timeoutMs: 300, limits: ONE });
    for (const headers of [{}, EVENTS]) {
      const began = performance.now();
      expect(await codeOf(await chat(asking("Hi", { headers })))).toEqual([504, "chat/timeout"]);
      expect(performance.now() - began).toBeLessThan(2_000);
      expect(chat.status().turns).toBe(0);
    }
  });

  test("a model that gives no headers, or no end: 504, or an event that says so", async () => {
    const chat = handler({ timeoutMs: 1_500, limits: ONE });
    await expectServed(chat);
    emulator.faults.add({ server: "foundry", kind: "hang" });
    expect(await codeOf(await chat(asking("Hi")))).toEqual([504, "chat/timeout"]);
    emulator.faults.add({ server: "foundry", kind: "slow-body", delayMs: 60_000 });
    const text = await (await chat(asking("At length", { headers: EVENTS }))).text();
    expect(text).toContain('"code":"chat/timeout"');
    emulator.faults.add({ server: "foundry", kind: "slow-body", delayMs: 60_000 });
    expect(await codeOf(await chat(asking("At length")))).toEqual([504, "chat/timeout"]);
    await expectServed(chat);
  });

  test("a heartbeat does not extend it", async () => {
    const chat = handler({ credential: HANGS, timeoutMs: 400, limits: { heartbeatMs: 50 } });
    const response = await chat(asking("Hi", { headers: EVENTS }));
    const text = await response.text();
    expect(text).toContain(": still at work");
    expect(text).toMatch(/event: error\ndata: .*"status":504,"code":"chat\/timeout"/);
  });

  test("a reader that takes nothing is cut off, and its slot is free", async () => {
    const chat = handler({ limits: { ...ONE, stallMs: 200 } });
    for (const reads of [0, 1]) {
      const response = await chat(asking("At length", { headers: EVENTS }));
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      for (let read = 0; read < reads; read += 1) await reader.read();
      expect(chat.status().turns).toBe(1);
      expect(await codeOf(await chat(asking("Hi")))).toEqual([503, "chat/overloaded"]);
      await expect.poll(() => chat.status().turns).toBe(0);
      await expect(reader.read()).rejects.toMatchObject({ code: "chat/slow-reader" });
      await expectServed(chat);
    }
  });

  test("a reader that takes a little now and then holds its slot until the deadline", async () => {
    const chat = handler({ timeoutMs: 600, limits: { ...ONE, stallMs: 10_000 } });
    const response = await chat(asking("At length", { headers: EVENTS }));
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await expect.poll(() => chat.status().turns).toBe(0);
    await expect(reader.read()).rejects.toMatchObject({ code: "chat/timeout" });
  });

  test.each(FORMS)(
    "who leaves while the credential hangs frees the slot at once: %s",
    async (_name, headers) => {
      const chat = handler({ credential: HANGS, limits: ONE });
      const stop = new AbortController();
      const waiting = chat(asking("Hi", { headers, signal: stop.signal }));
      await expect.poll(() => chat.status().turns).toBe(1);
      stop.abort();
      expect((await waiting).status).toBe(499);
      expect(chat.status().turns).toBe(0);
    },
  );

  test("a caller that disconnects during the stream frees its slot at once", async () => {
    const chat = handler({ limits: { ...ONE, heartbeatMs: 50 } });
    emulator.faults.add({ server: "foundry", kind: "hang" });
    const response = await chat(asking("Hi", { headers: EVENTS }));
    await response.body?.cancel();
    await expect.poll(() => chat.status().turns, { timeout: 500 }).toBe(0);
  });
});

describe("who may ask", () => {
  const NO_AUTHORIZE: [string, unknown][] = [
    ["nothing", undefined],
    ["null", null],
    ["a number", 5],
    ["another word", "everyone"],
    ["nothing in it", ""],
    ["an object", {}],
    ["true", true],
  ];

  test.each(NO_AUTHORIZE)("authorize is required: %s", (_name, authorize) => {
    expect(() => createEdgeChatHandler({ env: emulator.env, authorize } as never)).toThrow(
      expect.objectContaining({
        code: "chat/invalid-option",
        message: expect.stringContaining("authorize"),
        hint: expect.stringContaining('"anonymous"'),
      }),
    );
  });

  const NOBODY: [string, unknown][] = [
    ["at once", false],
    ["later", Promise.resolve(false)],
  ];

  test.each(NOBODY)("false is 401, and the model is not asked: %s", async (_name, answer) => {
    const before = { ...emulator.counts };
    const response = await handler({ authorize: () => answer as never })(asking("Hi"));
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await codeOf(response)).toEqual([401, "chat/unauthorized"]);
    expect(emulator.counts).toEqual(before);
  });

  const WRONG: [string, unknown][] = [
    ["nothing", undefined],
    ["null", null],
    ["true", true],
    ["a number", 7],
    ["NaN", Number.NaN],
    ["an empty text", ""],
    ["a blank text", "  "],
    ["half a character", "a\ud800"],
    ["an object", {}],
    ["a list of texts", ["ann"]],
    ["a String object", new String("ann")],
    ["a function", () => "ann"],
  ];

  test.each(WRONG)("anything else is refused before the model is asked: %s", async (_name, id) => {
    const before = { ...emulator.counts };
    for (const answer of [id, Promise.resolve(id)]) {
      const log: { detail?: string | undefined }[] = [];
      const chat = handler({ authorize: () => answer as never, onLog: (entry) => log.push(entry) });
      expect(await codeOf(await chat(asking("Hi")))).toEqual([500, "chat/authorize-invalid"]);
      expect(log[0]?.detail).toContain("authorize");
      expect(chat.status().turns).toBe(0);
    }
    expect(emulator.counts).toEqual(before);
  });

  test("one that throws is 500, and says nothing of the error to the caller", async () => {
    const fails: (() => never)[] = [
      () => {
        throw new Error("password=hunter2 for db.internal");
      },
      () => Promise.reject(new Error("password=hunter2 for db.internal")) as never,
      () => {
        throw undefined;
      },
    ];
    for (const authorize of fails) {
      const log: unknown[] = [];
      const response = await handler({ authorize, onLog: (entry) => log.push(entry) })(asking("Hi"));
      const text = await response.text();
      expect([response.status, JSON.parse(text).code]).toEqual([500, "chat/authorize-failed"]);
      expect(text).not.toMatch(/hunter2|internal/);
      expect(JSON.stringify(log)).not.toContain("hunter2");
    }
  });

  test("one that hangs holds no slot for ever", async () => {
    const authorize = () => new Promise<string>(() => {});
    const chat = handler({ authorize, limits: { ...ONE, callerMs: 100 } });
    expect(await codeOf(await chat(asking("Hi")))).toEqual([504, "chat/authorize-timeout"]);
    const stop = new AbortController();
    const waiting = handler({ authorize, limits: ONE })(asking("Hi", { signal: stop.signal }));
    stop.abort();
    expect((await waiting).status).toBe(499);
    expect(await codeOf(await handler({ authorize, timeoutMs: 100 })(asking("Hi")))).toEqual([
      504,
      "chat/timeout",
    ]);
    expect(chat.status().turns).toBe(0);
  });

  test("the request is given, and its headers decide", async () => {
    const chat = handler({
      authorize: async ({ headers }) => headers.get("authorization") === "Bearer good" && "ann",
    });
    const good = { authorization: "Bearer good" };
    expect((await chat(asking("Hi", { headers: good }))).status).toBe(200);
    expect((await chat(asking("Hi"))).status).toBe(401);
  });

  test("one caller takes half of the slots at most, and the others are served", async () => {
    const hang = emulator.faults.add({ server: "foundry", kind: "hang", times: 2 });
    const chat = handler({
      authorize: ({ headers }) => headers.get("x-user") ?? false,
      limits: { turns: 4 },
    });
    const stop = new AbortController();
    const his = { headers: { "x-user": "him" } };
    const hung = [1, 2].map(() => chat(asking("Hi", { ...his, signal: stop.signal })));
    // Both have met the fault, so that no other request does.
    await expect.poll(() => hang.hits).toBe(2);
    const refused = await chat(asking("Hi", his));
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await codeOf(refused)).toEqual([429, "chat/too-many-turns"]);
    expect((await chat(asking("Hi", { headers: { "x-user": "her" } }))).status).toBe(200);
    stop.abort();
    await Promise.all(hung);
    expect((await chat(asking("Hi", his))).status).toBe(200);
  });
});

describe("bodies", () => {
  const encoder = new TextEncoder();

  test("in one-byte chunks are read", async () => {
    const bytes = encoder.encode(JSON.stringify({ prompt: `long ${"x".repeat(20_000)}` }));
    let at = 0;
    const chunked = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (at >= bytes.length) controller.close();
        else controller.enqueue(bytes.subarray(at, ++at));
      },
    });
    const response = await handler()(asking("", streamed(chunked)));
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining("long xxx")]);
  });

  test("in one-byte chunks cost their size, not an object for every byte", async () => {
    expect(await costOfTrickles(handler({ limits: { bodyMs: 60_000 } }))).toBeLessThan(15);
  });

  test("a slot is taken before the body is read, and given back when it does not come", async () => {
    const chat = handler({ limits: { ...ONE, bodyMs: 200 } });
    const { state, stream } = source(() => undefined);
    const waiting = chat(asking("", streamed(stream)));
    expect(await codeOf(await chat(asking("Hi")))).toEqual([503, "chat/overloaded"]);
    expect(await codeOf(await waiting)).toEqual([408, "chat/slow-request"]);
    expect(chat.status().turns).toBe(0);
    await expect.poll(() => state.cancelled).toBe(true);
  });

  test("without end are given up after 4 MiB, and cancelled", async () => {
    const chunk = new Uint8Array(65_536);
    const { state, stream } = source(() => chunk);
    expect(await codeOf(await handler()(asking("", streamed(stream))))).toEqual([413, "chat/body-too-large"]);
    await expect.poll(() => state.cancelled).toBe(true);
    expect(state.sent).toBeLessThan(6_000_000);
  });

  test.each([0, 1])("in endless chunks of %s bytes keep nothing else from its turn", async (size) => {
    const chunk = new Uint8Array(size);
    const { state, stream } = source(() => chunk);
    const chat = handler({ limits: { bodyMs: 200 } });
    const waiting = chat(asking("", streamed(stream)));
    await expectServed(chat);
    expect([408, 413]).toContain((await waiting).status);
    await expect.poll(() => state.cancelled).toBe(true);
  });

  test("with chunks that are not bytes are reported as such", async () => {
    const texts = new ReadableStream({ pull: (controller) => controller.enqueue("text") });
    expect(await codeOf(await handler()(asking("", streamed(texts))))).toEqual([500, "chat/body-used"]);
  });

  const REFUSALS: [string, Options, RequestInit & { headers?: Record<string, string> }, number][] = [
    ["a method", {}, { method: "PUT" }, 405],
    ["a type", {}, { headers: { "content-type": "text/plain" } }, 415],
    ["an answer's type", {}, { headers: { accept: "text/html" } }, 406],
    ["nobody", { authorize: () => false }, {}, 401],
    ["a fault", { authorize: () => null as never }, {}, 500],
  ];
  test.each(REFUSALS)(
    "of a refused request are cancelled when they do not end: %s",
    async (_n, options, init, status) => {
      const { state, stream } = source(() => undefined);
      const response = await handler(options)(asking("", { ...init, ...streamed(stream) } as never));
      expect(response.status).toBe(status);
      await expect.poll(() => state.cancelled).toBe(true);
    },
  );

  test("405 names what is allowed", async () => {
    const response = await handler()(new Request("http://edge.example/chat"));
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });

  test("that break off are the caller's fault", async () => {
    const broken = new ReadableStream({ pull: () => Promise.reject(new Error("gone")) });
    expect(await codeOf(await handler()(asking("", streamed(broken))))).toEqual([
      400,
      "chat/incomplete-body",
    ]);
  });

  test("that other code has read are reported as such", async () => {
    const request = asking("Hi");
    await request.text();
    expect(await codeOf(await handler()(request))).toEqual([500, "chat/body-used"]);
  });

  test("a half character becomes U+FFFD", async () => {
    const body = '{"prompt":"cut \\ud83d off \\udc00"}';
    const response = await handler({ timeoutMs: 5_000 })(asking("", { body }));
    expect([response.status, await response.text()]).toEqual([
      200,
      expect.stringContaining("cut \ufffd off \ufffd"),
    ]);
  });
});

test("ten callers at once after a revocation are all answered, by two identity requests at most", async () => {
  const chat = handler();
  await expectServed(chat);
  const before = { ...emulator.counts };
  emulator.revokeTokens();
  const responses = await Promise.all(
    Array.from({ length: 10 }, (_, index) => chat(asking(`Number ${index}`))),
  );
  expect(responses.map(({ status }) => status)).toEqual(Array(10).fill(200));
  expect(emulator.counts.unauthorized - before.unauthorized).toBeGreaterThan(1);
  expect(emulator.counts.identity - before.identity).toBeLessThanOrEqual(2);
});

test("a token that stays rejected is reported, and acquired once", async () => {
  const chat = handler();
  await expectServed(chat);
  const before = emulator.counts.identity;
  emulator.faults.add({ server: "foundry", kind: "status", status: 401, times: Number.POSITIVE_INFINITY });
  const responses = await Promise.all(Array.from({ length: 5 }, () => chat(asking("Hi"))));
  for (const response of responses) expect(await codeOf(response)).toEqual([502, "model/token-invalid"]);
  expect(emulator.counts.identity - before).toBe(1);
});

test("callbacks that throw, at once or later, change no answer", async () => {
  for (const onLog of [
    () => {
      throw new Error("of the logger");
    },
    async () => {
      throw new Error("of the logger");
    },
  ]) {
    const chat = handler({ onLog, tokens: { onEvent: onLog } });
    await expectServed(chat);
    const text = await (await chat(asking("Hi", { headers: EVENTS }))).text();
    expect(text).toContain("event: done");
    expect((await chat(asking(" "))).status).toBe(400);
    expect(chat.status().turns).toBe(0);
  }
});

test("after close() it says that it is closed", async () => {
  const chat = handler({ tokens: { policy: { waitTimeoutMs: 5_000 } }, limits: { heartbeatMs: 60_000 } });
  expect(chat.status()).toMatchObject({ state: "open", healthy: true, turns: 0 });
  await expectServed(chat);
  const waiting = handler({ credential: HANGS });
  const early = waiting(asking("Hi"));
  await expect.poll(() => waiting.status().turns).toBe(1);
  for (const one of [chat, waiting]) {
    one.close();
    one.close();
    for (const request of [asking("Hi"), asking(" "), new Request("http://edge.example/chat")]) {
      const response = await one(request);
      expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
      expect(await codeOf(response)).toEqual([503, "chat/closing"]);
    }
    expect(one.status()).toMatchObject({ state: "closed", healthy: false });
  }
  expect(await codeOf(await early)).toEqual([503, "chat/closing"]);
  expect(waiting.status().turns).toBe(0);
});

test.each([
  ["options", null],
  ["options", 5],
  ["options", "x"],
  ["limits", { limits: null }],
  ["limits", { limits: [] }],
  ["limits", { limits: 5 }],
  ["limits.turnsPerCaller", { limits: { turnsPerCaller: 0 } }],
  ["limits.callerMs", { limits: { callerMs: Number.NaN } }],
  ["models", { models: "gpt-4o" }],
  ["models", { models: null }],
  ["models", { models: [5] }],
  ["timeoutMs", { timeoutMs: 0 }],
  ["timeoutMs", { timeoutMs: Number.NaN }],
  ["timeoutMs", { timeoutMs: "5" }],
  ["timeoutMs", { timeoutMs: 2 ** 31 }],
  ["onLog", { onLog: 5 }],
  ["exposeErrors", { exposeErrors: "yes" }],
  ["env", { env: null }],
  ["env", { env: "x" }],
])("a wrong option is told by its name: %s %j", (name, options) => {
  const given = typeof options === "object" && options ? { authorize: "anonymous", ...options } : options;
  expect(() => createEdgeChatHandler(given as never)).toThrow(
    expect.objectContaining({ code: "chat/invalid-option", message: expect.stringContaining(name) }),
  );
});

test.each([null, undefined, 5, "x", {}, []])("rejects a value that is not a Request: %j", async (request) => {
  await expect(handler()(request as never)).rejects.toMatchObject({ code: "chat/invalid-option" });
});
