/// <reference lib="dom" />
// Tests the page and the server of examples/chat-server in Chromium, with the real Copilot runtime
// and the emulator.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { startEmulator } from "copilot-keyless/emulator";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { linkPackage, startProgram } from "../e2e/functions/support.js";
import { launch } from "../support/browser.js";
import { root } from "../support/process.js";
import { accessibility, type Opened, open } from "./support.js";

const SLOW = Array.from({ length: 150 }, (_, index) => `word${index}`).join(" ");
const emulator = await startEmulator({
  chunkDelayMs: 10,
  reply: ({ prompt, turn }) => (prompt === "Slowly" ? SLOW : `Turn ${turn}: <b>${prompt}</b>\nline two`),
});
linkPackage();
const server = await startProgram([join(root, "examples/chat-server/server.mjs"), "0"], emulator.env);
let browser: Browser;
let opened: Opened;

beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser.close();
  await emulator.stop();
});
afterEach(async () => {
  await opened.page.context().close();
  emulator.faults.clear();
});

const visit = async (options = {}, url = server.url): Promise<Page> => {
  opened = await open(browser, url, options);
  return opened.page;
};
const messages = (page: Page) => page.locator("#log .message").allInnerTexts();
async function ask(page: Page, prompt: string): Promise<void> {
  await page.fill("#prompt", prompt);
  await page.keyboard.press("Enter");
}

test("a conversation by keyboard alone: it goes on, and begins anew", async () => {
  const page = await visit();
  await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("prompt");
  await page.keyboard.type("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  await page.keyboard.press("Enter");
  await expect.poll(() => messages(page)).toEqual(["one\ntwo", "Turn 0: <b>one\ntwo</b>\nline two"]);
  await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("prompt");
  await ask(page, "again");
  await expect.poll(async () => (await messages(page)).at(-1)).toBe("Turn 1: <b>again</b>\nline two");
  await page.locator("#new").press("Enter");
  await ask(page, "anew");
  await expect.poll(() => messages(page)).toEqual(["anew", "Turn 0: <b>anew</b>\nline two"]);
  expect(opened.faults).toEqual([]);
});

test("Escape stops a reply and its turn", async () => {
  const page = await visit();
  await ask(page, "Slowly");
  await page.waitForFunction(() => document.querySelector("#log")?.textContent?.includes("word3"));
  const asked = emulator.requests.at(-1);
  await page.keyboard.press("Escape");
  await expect.poll(() => page.locator("#status").innerText()).toBe("Stopped.");
  await expect.poll(() => asked?.aborted).toBe(true);
  await ask(page, "next");
  await expect.poll(async () => (await messages(page)).at(-1)).toContain("<b>next</b>");
  expect(opened.faults).toEqual([]);
});

/** Stands between the page and the server. `cut` breaks all connections; new ones work. */
async function relay() {
  const sockets = new Set<Socket>();
  const between = createServer((client) => {
    const upstream = connect(Number(new URL(server.url).port), "127.0.0.1");
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from.on("error", () => {}).on("close", () => to.destroy()));
      from.pipe(to);
    }
  }).listen(0, "127.0.0.1");
  await once(between, "listening");
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const url = `http://127.0.0.1:${(between.address() as AddressInfo).port}`;
  return { url, cut, close: () => void between.close(cut) };
}

test("a reply goes on when the connection is lost", async () => {
  const { url, cut, close } = await relay();
  const page = await visit({}, url);
  await ask(page, "Slowly");
  await page.waitForFunction(() => document.querySelector("#log")?.textContent?.includes("word3"));
  cut();
  await expect.poll(async () => (await messages(page)).at(-1)).toBe(SLOW);
  const sent = opened.requests.filter((request) => request.url().endsWith("/chat"));
  expect(sent.length).toBeGreaterThan(1);
  expect(sent.slice(1).every((request) => request.headers()["last-event-id"] !== undefined)).toBe(true);
  close();
});

test("a failure is told, and the prompt can be sent again", async () => {
  const page = await visit();
  const times = Number.POSITIVE_INFINITY;
  const fault = emulator.faults.add({ server: "foundry", kind: "status", error: "missing-role", times });
  await ask(page, "Hello");
  await expect.poll(() => page.locator("#status.error").innerText()).not.toBe("");
  expect(await page.inputValue("#prompt")).toBe("Hello");
  expect(await messages(page)).toEqual([]);
  fault.remove();
  await page.keyboard.press("Enter");
  await expect.poll(async () => (await messages(page)).at(-1)).toContain("<b>Hello</b>");
});

test.each(["light", "dark"] as const)(
  "looks: axe finds no fault, and nothing is wider than a phone: %s",
  async (colorScheme) => {
    const page = await visit({ colorScheme, viewport: { width: 360, height: 640 }, reducedMotion: "reduce" });
    await ask(page, "x".repeat(300));
    await expect.poll(async () => (await messages(page)).length).toBe(2);
    await page.waitForSelector("#send:visible");
    expect(await accessibility(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    );
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(background).toBe(colorScheme === "dark" ? "rgb(20, 23, 28)" : "rgb(246, 247, 249)");
  },
);

test("the page's client is the package's, and its log holds no prompt", async () => {
  const client = await fetch(`${server.url}/http-client.js`);
  expect(await client.text()).toBe(readFileSync(join(root, "dist/http-client.js"), "utf8"));
  expect(
    (
      await fetch(`${server.url}/chat`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"prompt":"Hi"}',
      })
    ).status,
  ).toBe(401);
  expect((await fetch(`${server.url}/__proto__`)).status).toBe(404);
  expect(server.log()).toContain("chat answered");
  expect(server.log()).not.toContain("again");
  expect(await server.stop()).toBe(0);
});
