import { expect, test } from "vitest";
import { ask, EVENTS, json, parseEvents, until } from "../functions/support.js";
import { emulatorForChats, healthOf, SLOW, startChat } from "./chat.js";

/** Declares the tests of replies that can be resumed, and of the end of a server. */
export async function resumption(adapter: string): Promise<void> {
  const emulator = await emulatorForChats();
  const app = await startChat(
    adapter,
    { resumeMs: 3_000, limits: { turns: 3, resumeBytes: 20_000 } },
    emulator.env,
  );
  const by = (caller: string, more: Record<string, string> = {}) => ({
    "x-test-caller": caller,
    ...EVENTS,
    ...more,
  });
  const health = () => healthOf(app);

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

  test("only its caller can resume a reply, or end it", async () => {
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
    const { last } = await interrupted("In large pieces");
    await until(async () => (await health()).turns === 0);
    expect(await codeOf(await resume(last))).toEqual([410, "chat/events-dropped"]);
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
