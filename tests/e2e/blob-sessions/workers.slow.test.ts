// Conversations in Blob Storage, with worker processes that share nothing else: Azurite, the
// Functions host of this repository, the real Copilot runtime, @azure/identity and
// @azure/storage-blob. Signals and /proc: not on Windows.

import { beforeAll, describe, expect, test } from "vitest";
import { type StorageCall, type StorageFault, startStorageProxy } from "../../support/storage-proxy.mjs";
import { ask, EVENTS, emulatorForApps, type StartedApp } from "../functions/support.js";
import { createContainer, send, sendPatiently, startStorage, startWorker } from "./support.js";

/** What the model is told: all prompts of the conversation, in order. */
const emulator = await emulatorForApps({
  reply: ({ messages }) =>
    messages
      .filter(({ role }) => role === "user")
      // The runtime puts the time before each prompt.
      .map(({ text }) => text.split("\n").at(-1))
      .join(" | "),
});
const { azurite, proxy } = await startStorage();
const { certFile } = azurite;
const LEASE_SECONDS = 15;

const start = (account: string, more: object = {}) =>
  startWorker({
    account,
    container: "conversations",
    certFile,
    env: emulator.env,
    leaseSeconds: LEASE_SECONDS,
    ...more,
  });

/** Delays the answer of the model to one prompt. */
function delayed(prompt: string, delayMs: number): void {
  emulator.faults.add({ server: "foundry", kind: "delay", delayMs, match: { body: prompt } });
}

/** Resolves when the model has been asked once more. */
async function untilAsked(before: number): Promise<void> {
  await expect.poll(() => emulator.counts.foundry).toBeGreaterThan(before);
}

let one: StartedApp;
let other: StartedApp;

beforeAll(async () => {
  await createContainer(azurite, "conversations");
  [one, other] = await Promise.all([start(proxy.account), start(azurite.account)]);
}, 180_000);

const begin = async (prompt: string) => (await send(one, prompt)).sessionId as string;

describe("several workers", () => {
  test("answer a conversation in turn, and each knows all that was said", async () => {
    const sessionId = await begin("a");
    expect(await send(other, "b", sessionId)).toMatchObject({ status: 200, reply: "a | b", sessionId });
    expect(await send(one, "c", sessionId)).toMatchObject({ status: 200, reply: "a | b | c" });
    expect(await send(other, "d", sessionId)).toMatchObject({ status: 200, reply: "a | b | c | d" });
  });

  test("send 2 requests to the storage for a first turn and 5 for each later one", async () => {
    proxy.calls.length = 0;
    const sessionId = await begin("a");
    expect(proxy.calls).toEqual(["create", "commit"]);
    proxy.calls.length = 0;
    await send(one, "b", sessionId);
    expect(proxy.calls.toSorted()).toEqual(["acquire", "begin", "commit", "read", "release"]);
    // What comes before the model's first byte: to acquire, then the other two at once.
    expect(proxy.calls[0]).toBe("acquire");
  });

  test("tell another caller that there is no such conversation", async () => {
    const sessionId = await begin("a");
    const refused = await send(other, "b", sessionId, "another");
    expect(refused).toMatchObject({ status: 404, code: "chat/session-not-found" });
    const [id] = JSON.parse(Buffer.from(sessionId, "base64url").toString()) as [string];
    for (const invented of ["x", "", Buffer.from(JSON.stringify([id, "other"])).toString("base64url")]) {
      const { status } = await send(other, "b", invented || "..");
      expect(status).toBe(404);
    }
    expect(await send(other, "b", sessionId)).toMatchObject({ reply: "a | b" });
  });

  test("delete a conversation without a turn for as long as they are told", async () => {
    const expiring = await start(azurite.account, { expireAfterDays: 4 / 86_400 });
    const sessionId = await begin("a");
    expect(await send(expiring, "b", sessionId)).toMatchObject({ status: 200, reply: "a | b" });
    // The storage tells ages in whole seconds.
    await new Promise((next) => setTimeout(next, 6_000));
    const over = await send(expiring, "c", sessionId);
    expect(over).toMatchObject({ status: 404, code: "chat/session-not-found" });
    // Its blob is deleted, so it is over for all.
    expect(await send(one, "d", sessionId)).toMatchObject({ status: 404 });
  });

  test("race for a conversation: one answers, the other is busy and says how long to wait", async () => {
    const sessionId = await begin("a");
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all([
        send(one, `x${round}`, sessionId),
        send(other, `y${round}`, sessionId),
      ]);
      const busy = answers.filter(({ code }) => code === "chat/session-busy");
      const answered = answers.filter(({ status }) => status === 200);
      // One may have begun when the other had ended.
      expect(answered.length).toBeGreaterThan(0);
      expect(busy.length + answered.length).toBe(2);
      for (const { status, wait } of busy) expect([status, wait]).toEqual([409, 1]);
    }
    const { reply } = await sendPatiently(one, "z", sessionId);
    expect(new Set(reply?.split(" | ")).size).toBe(reply?.split(" | ").length);
  });
});

describe("a worker that is killed", () => {
  test("in the middle of a turn loses that turn only, and the next caller is told so, once", async () => {
    const dying = await start(azurite.account);
    const { sessionId = "" } = await send(dying, "a");
    expect(await send(dying, "b", sessionId)).toMatchObject({ reply: "a | b" });
    delayed("lost", 60_000);
    const before = emulator.counts.foundry;
    const cut = send(dying, "lost", sessionId).catch(() => "cut");
    await untilAsked(before);
    dying.process.kill("SIGKILL");
    expect(await cut).toBe("cut");
    const told = await sendPatiently(other, "c", sessionId);
    expect(told).toMatchObject({ status: 409, code: "chat/turn-lost", wait: 1 });
    expect(told.waitedMs).toBeLessThan((LEASE_SECONDS + LEASE_SECONDS / 3 + 5) * 1000);
    expect(await send(other, "c", sessionId)).toMatchObject({ status: 200, reply: "a | b | c" });
  }, 120_000);

  test.each<[StorageCall, string, string | undefined]>([
    ["acquire", "before it began: nothing is lost", undefined],
    ["begin", "when it had begun", "chat/turn-lost"],
    ["commit", "before its end was written", "chat/turn-lost"],
    ["release", "when its end was written: the turn is kept", undefined],
  ])(
    "at the request %s, %s",
    async (call, _when, code) => {
      const gate = await startStorageProxy(azurite);
      const dying = await start(gate.account);
      const { sessionId = "" } = await send(dying, "a");
      // The request arrives or not; its answer never does.
      const reached = new Promise<void>((resolve) => {
        gate.fault = (asked): StorageFault => {
          if (asked !== call) return undefined;
          resolve();
          return call === "begin" ? { loseAnswer: true } : { delayMs: 60_000 };
        };
      });
      const cut = send(dying, "b", sessionId).catch(() => "cut");
      await reached;
      if (call === "begin") await new Promise((next) => setTimeout(next, 300));
      dying.process.kill("SIGKILL");
      expect(await cut).toBe("cut");
      await gate.stop();
      const answer = await sendPatiently(other, "c", sessionId);
      if (code) expect(answer).toMatchObject({ status: 409, code });
      const { reply } = code ? await send(other, "c", sessionId) : answer;
      expect(reply).toBe(call === "release" ? "a | b | c" : "a | c");
    },
    120_000,
  );
});

test("a worker that was stopped for longer than its lease cannot write into the conversation of its successor", async () => {
  const paused = await start(azurite.account);
  const { sessionId = "" } = await send(paused, "a");
  delayed("paused", 2_000);
  const before = emulator.counts.foundry;
  const late = send(paused, "paused", sessionId);
  await untilAsked(before);
  paused.process.kill("SIGSTOP");
  const told = await sendPatiently(other, "b", sessionId);
  expect(told).toMatchObject({ status: 409, code: "chat/turn-lost" });
  expect(await send(other, "b", sessionId)).toMatchObject({ status: 200, reply: "a | b" });
  paused.process.kill("SIGCONT");
  expect(await late).toMatchObject({ status: 503, code: "storage/lease-lost" });
  expect(await send(paused, "c", sessionId)).toMatchObject({ status: 200, reply: "a | b | c" });
}, 120_000);

test("a turn whose caller leaves is kept as far as it got", async () => {
  const sessionId = await begin("a");
  delayed("left", 20_000);
  const before = emulator.counts.foundry;
  const leave = new AbortController();
  const cut = ask(one, { prompt: "left", sessionId }, { "x-user": "somebody", ...EVENTS }, leave.signal);
  await untilAsked(before);
  leave.abort();
  await expect(cut.then((response) => response.text())).rejects.toThrow();
  expect(await sendPatiently(other, "b", sessionId)).toMatchObject({ status: 200, reply: "a | left | b" });
});

test("a turn that takes longer than its lease renews it", async () => {
  const sessionId = await begin("a");
  delayed("long", (LEASE_SECONDS + 5) * 1000);
  proxy.calls.length = 0;
  const long = send(one, "long", sessionId);
  await new Promise((next) => setTimeout(next, (LEASE_SECONDS + 2) * 1000));
  expect(await send(other, "b", sessionId)).toMatchObject({ status: 409, code: "chat/session-busy" });
  expect(await long).toMatchObject({ status: 200, reply: "a | long" });
  expect(proxy.calls.filter((call) => call === "renew").length).toBeGreaterThanOrEqual(3);
}, 120_000);

describe("storage that fails", () => {
  test.each<[string, StorageFault]>([
    ["429", { status: 429 }],
    ["500", { status: 500 }],
    ["503 with Retry-After", { status: 503, retryAfter: 1 }],
    ["lost answers", { loseAnswer: true }],
    ["slow answers", { delayMs: 400 }],
  ])("now and then, with %s: every turn is answered, and written once", async (_name, fault) => {
    let count = 0;
    // Every second request, and so the repeated one arrives.
    proxy.fault = () => (count++ % 2 === 0 ? fault : undefined);
    try {
      const sessionId = await begin("a");
      for (const [index, prompt] of ["b", "c", "d"].entries()) {
        const { status, reply } = await sendPatiently(one, prompt, sessionId);
        expect([status, reply]).toEqual([200, ["a", "b", "c", "d"].slice(0, index + 2).join(" | ")]);
      }
    } finally {
      proxy.fault = () => undefined;
    }
  });

  test("for good: 503 with a code, and the conversation goes on afterwards", async () => {
    const sessionId = await begin("a");
    proxy.fault = () => ({ status: 503 });
    expect(await send(one, "b", sessionId)).toMatchObject({
      status: 503,
      code: "storage/unavailable",
      wait: 5,
    });
    expect(await send(one, "b")).toMatchObject({ status: 503, code: "storage/unavailable" });
    proxy.fault = (call) => (call === "commit" ? { status: 500 } : undefined);
    // The model has answered, and it could not be written.
    expect(await send(one, "b", sessionId)).toMatchObject({ status: 503, code: "storage/unavailable" });
    proxy.fault = () => undefined;
    expect(await send(other, "c", sessionId)).toMatchObject({ status: 409, code: "chat/turn-lost" });
    expect(await send(other, "c", sessionId)).toMatchObject({ status: 200, reply: "a | c" });
  }, 180_000);

  test("without a container: 500 with a code that names it", async () => {
    const worker = await start(azurite.account, { container: "missing" });
    expect(await send(worker, "a")).toMatchObject({ status: 500, code: "storage/container-not-found" });
    expect(worker.log()).toContain("az storage container create");
  });
});

test("a worker whose clock is wrong by ten minutes answers as the others do", async () => {
  for (const minutes of [-10, 10]) {
    const shift = `const now = Date.now; Date.now = () => now() + ${minutes * 60_000};`;
    const preload = `data:text/javascript,${encodeURIComponent(shift)}`;
    const skewed = await start(azurite.account, {
      env: { ...emulator.env, NODE_OPTIONS: `--import=${preload}` },
    });
    const { sessionId = "" } = await send(skewed, "a");
    expect(await send(other, "b", sessionId)).toMatchObject({ reply: "a | b" });
    expect(await send(skewed, "c", sessionId)).toMatchObject({ reply: "a | b | c" });
  }
});
