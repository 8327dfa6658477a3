import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { expect, test } from "vitest";
import { residentBytes } from "../../support/processes.mjs";
import { ask, EVENTS, parseEvents, until } from "../functions/support.js";
import {
  emulatorForChats,
  expectServed,
  healthOf,
  keepsConversations,
  LONG,
  startChat,
  TEXTS,
} from "./chat.js";

/** Declares the tests of replies: they begin early, wait for slow readers, and end with the caller. */
export async function replies(adapter: string): Promise<void> {
  const emulator = await emulatorForChats();
  const app = await startChat(
    adapter,
    { limits: { turns: 2, turnsPerCaller: 2, stallMs: 1_500 } },
    emulator.env,
  );

  const turns = async () => (await healthOf(app)).turns;

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
      await expectServed(app);
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
    await expectServed(app);
  });

  /** Begins a long reply, and reads only its head. */
  async function stalled(prompt = "At length"): Promise<IncomingMessage> {
    const headers = { "content-type": "application/json", ...EVENTS };
    const sent = request(`${app.url}/api/chat`, { method: "POST", agent: false, headers });
    sent.on("error", () => {});
    sent.end(JSON.stringify({ prompt }));
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.pause();
    return response;
  }

  test("a slow reader receives everything", async () => {
    // The edge handler takes no event of megabytes, such as the last one of a reply at length.
    const prompt = keepsConversations(adapter) ? "At length" : "Slowly";
    const response = await stalled(prompt);
    await new Promise((next) => setTimeout(next, 500));
    let text = "";
    for await (const chunk of response) text += chunk;
    const deltas = parseEvents(text).filter(({ event }) => event === "delta");
    expect(deltas.map(({ data }) => data.text).join("")).toHaveLength(TEXTS[prompt]?.length as number);
    expect(parseEvents(text).at(-1)?.event).toBe("done");
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
    const closed = Promise.all(
      responses.map((response) => new Promise((closed) => response.once("close", closed))),
    );
    for (const response of responses) response.resume();
    await closed;
    expect(responses.map(({ complete }) => complete)).toEqual([false, false]);
    expect(app.log()).toContain("chat/slow-reader");
    expect(most).toBeLessThan(20 * LONG.length);
    await expectServed(app);
  });
}
