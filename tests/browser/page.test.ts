/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// Tests the built page as a whole in Chromium: looks, keyboard, offline use, its policy and server.

import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../support/process.js";
import { clipboard, expectFits, inBrowser, open, openTab, shownPanels, text, token } from "./support.js";

const shown = inBrowser();
const { visit } = shown;

/**
 * Request targets that are not paths, that some URL parsers reject, or that lead to another folder.
 */
const HOSTILE = [
  ...["//", "//x", "///", "/\\", "\\", "/%", "/%00", "/%zz", "/%ff", "*", "http:", "http://", "x"],
  ...[
    "/..%2f..%2fpackage.json",
    "/..%2fpackage.json",
    "/%2e%2e/package.json",
    "/../package.json",
    "/./index.html",
  ],
  ...["/..\\..\\package.json", "/assets", "/assets/", "/assets/..", "/assets/../index.html", "//index.html"],
  ...[
    "http://evil.example/",
    "http://127.0.0.1/",
    "file:///etc/passwd",
    "/__proto__",
    `/${"x".repeat(10_000)}`,
  ],
];

describe("the page", () => {
  test("keeps its settings in the link, and no secret", async () => {
    const page = await visit();
    await page.fill("#endpoint-url", "https://myres.openai.azure.com/openai/v1/?api-key=planted-secret");
    await page.fill("#endpoint-model", "gpt-4o");
    await openTab(page, "Token");
    await page.fill("#token-text", token({ aud: "planted-audience" }));
    await openTab(page, "Error");
    await page.fill("#error-body", "planted-body");
    await openTab(page, "Try it");
    await page.fill("#try-prompt", "planted-prompt");
    expect(page.url()).toContain("myres.openai.azure.com");
    expect(page.url()).not.toContain("planted");
    await page.getByRole("button", { name: "Copy link" }).click();
    const link = await clipboard(page);
    expect(link).toBe(page.url());
    await openTab(page, "Endpoint");
    await page.fill("#endpoint-url", "https://user:planted-secret@myres.openai.azure.com");
    expect(page.url()).not.toContain("planted");
    await page.goto("about:blank");
    await page.goto(link);
    await page.waitForSelector("html[data-ready]");
    expect(await page.inputValue("#endpoint-model")).toBe("gpt-4o");
    expect(await text(page, "endpoint-result")).toContain("https://myres.openai.azure.com/openai/v1/");
    expect(await page.inputValue("#token-text")).toBe("");
  });

  test.each([
    ["light", 360],
    ["dark", 1440],
  ] as const)("in %s fits %i pixels and has no fault that axe finds", (scheme, width) =>
    expectFits(visit, scheme, width),
  );

  test("the theme can be chosen, and is remembered", async () => {
    const page = await visit("", { colorScheme: "light" });
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const button = page.locator("#theme");
    await button.click();
    await button.click();
    expect(await button.innerText()).toBe("Dark");
    expect(await background()).toBe("rgb(15, 18, 25)");
    await page.reload();
    await page.waitForSelector("html[data-ready]");
    expect(await background()).toBe("rgb(15, 18, 25)");
    await button.click();
    expect(await background()).toBe("rgb(245, 246, 250)");
  });

  test("is usable by keyboard: skip link, tabs, focus that is seen", async () => {
    const page = await visit();
    const focused = () => page.evaluate(() => document.activeElement?.id);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the tools");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("tools");
    // One tab stop for all tabs, then the panel.
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("tab-endpoint");
    await page.keyboard.press("ArrowRight");
    expect(await focused()).toBe("tab-token");
    expect(await shownPanels(page)).toEqual(["token"]);
    await page.keyboard.press("End");
    expect(await shownPanels(page)).toEqual(["try"]);
    await page.keyboard.press("ArrowRight");
    expect(await focused()).toBe("tab-endpoint");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Home");
    expect(await shownPanels(page)).toEqual(["endpoint"]);
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("example-clear");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("endpoint-url");
    const outline = await page
      .locator("#endpoint-url")
      .evaluate((field) => getComputedStyle(field).outlineWidth);
    expect(outline).toBe("3px");
  });

  test("works offline once loaded, lazy parts too", async () => {
    const page = await visit();
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await page.context().setOffline(true);
    await page.reload();
    await page.waitForSelector("html[data-ready]");
    await page.fill("#endpoint-url", "myres.openai.azure.com");
    expect(await text(page, "endpoint-result")).toContain("Azure OpenAI resource");
    await openTab(page, "Token");
    await page.fill("#token-text", '{"error":"invalid_request"}');
    await expect.poll(() => text(page, "token-result")).toContain("expiry/no-token");
  });

  test("its service worker leaves other apps' caches of the origin alone, and reads none of them", async () => {
    const page = await visit("", {}, async (coming) => {
      // Chromium requests a favicon besides the picture.
      await coming.route("**/favicon.ico", (route) => route.fulfill({ status: 204 }));
      await coming.goto(`${shown.address}icon.svg`);
      await coming.evaluate(async () => {
        for (const name of ["another-app-v1", "0123456789ab", `copilot-keyless ${origin}/other/ 1`])
          await (await caches.open(name)).put("/", new Response("another app"));
        await caches.open(`copilot-keyless ${origin}/ outdated`);
      });
    });
    const names = () => page.evaluate(() => caches.keys());
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await expect.poll(names).not.toContain(`copilot-keyless ${shown.address} outdated`);
    expect((await names()).toSorted()).toEqual([
      "0123456789ab",
      "another-app-v1",
      expect.stringMatching(/^copilot-keyless \S+\/ [0-9a-f]{12}$/),
      `copilot-keyless ${shown.address}other/ 1`,
    ]);
    await page.context().setOffline(true);
    await page.reload();
    await page.waitForSelector("html[data-ready]");
  });

  test("loads nothing from elsewhere", async () => {
    await visit();
    const origins = shown.requests.map((request) => new URL(request.url()).origin);
    expect(new Set(origins)).toEqual(new Set([new URL(shown.address).origin]));
  });

  test("has a strict policy, in the page and from the server", async () => {
    const response = await fetch(shown.address);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'");
    expect(policy).not.toContain("unsafe-inline");
    expect(policy).not.toContain("'unsafe-eval'");
    const html = await response.text();
    expect(html.replaceAll("&#39;", "'")).toContain(policy.split("; frame-ancestors")[0]);
    expect(html).not.toMatch(/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=/);
    for (const path of ["/../package.json", "/%2e%2e/package.json", "/nothing", "/assets"]) {
      expect((await fetch(new URL(path, shown.address))).status).toBe(404);
    }
  });
});

test("no target of a request ends the server or leads out of its folder, and no other host's name reaches it", async () => {
  const { hostname, port } = new URL(shown.address);
  const answer = (line: string, host = `127.0.0.1:${port}`) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () =>
        socket.write(`${line} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`),
      );
      let said = "";
      socket.on("data", (data) => {
        said += String(data);
      });
      socket.on("close", () => resolve(said));
      socket.on("error", reject);
    });
  for (const target of HOSTILE) {
    // The server returns the page or an error, never another file.
    const said = await answer(`GET ${target}`);
    if (said.startsWith("HTTP/1.1 200 ")) expect(said, target).toContain("<title>Check a keyless setup");
    else expect(said, target).toMatch(/^HTTP\/1\.1 40[034] /);
  }
  for (const line of ["POST /", "OPTIONS /", "DELETE /", "OPTIONS *", "HEAD /?x=//"])
    expect(await answer(line), line).toMatch(/^HTTP\/1\.1 [24]\d\d /);
  // A site whose name resolves to this machine (DNS rebinding) gets neither page nor token.
  for (const path of ["/", "/emulator.json"])
    expect(await answer(`GET ${path}`, "evil.example"), path).toMatch(/^HTTP\/1\.1 403 /);
  expect(await (await fetch(shown.address)).text()).toContain("<title>");
});

test("the built page is static: another server serves it, and nothing refers to an emulator", async () => {
  const { preview } = await import("vite");
  const alone = await preview({
    configFile: false,
    root: join(root, "www"),
    appType: "mpa",
    logLevel: "error",
    preview: { host: "127.0.0.1", port: 0 },
  });
  const { page, requests, faults } = await open(shown.browser, alone.resolvedUrls?.local[0] ?? "");
  await page.getByRole("tab", { name: /^Try it/ }).click();
  expect(await page.locator("#try-emulator").isVisible()).toBe(false);
  expect(requests.filter((request) => request.url().includes("emulator"))).toEqual([]);
  expect(faults).toEqual([]);
  expect(readdirSync(join(root, "www/dist")).toSorted()).toEqual([
    "assets",
    "icon.svg",
    "index.html",
    "offline.js",
  ]);
  await page.context().close();
  await alone.close();
});
