/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// Tests the built page in Chromium, with its content security policy and the emulator.

import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launch } from "../support/browser.js";
import { root } from "../support/process.js";
import { accessibility, clipboard, type Opened, open, type Served, serve } from "./support.js";

let browser: Browser;
let served: Served;
let opened: Opened | undefined;

beforeAll(async () => {
  [browser, served] = await Promise.all([launch(), serve()]);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await served?.stop();
});

// No test may log an error in the page or violate its content security policy.
afterEach(async () => {
  const faults = opened?.faults;
  await opened?.page.context().close();
  opened = undefined;
  expect(faults ?? []).toEqual([]);
});

async function visit(
  fragment = "",
  options?: BrowserContextOptions,
  prepare?: (page: Page) => Promise<void>,
): Promise<Page> {
  opened = await open(browser, served.address + fragment, options, prepare);
  return opened.page;
}

const text = (page: Page, id: string) => page.locator(`#${id}`).innerText();

/** Opens a panel by its tab. */
const openTab = (page: Page, name: "Endpoint" | "Token" | "Error" | "Refresh" | "Try it") =>
  page.getByRole("tab", { name: new RegExp(`^${name}`) }).click();

const shownPanels = (page: Page) =>
  page.locator("#tools > [role=tabpanel]:visible").evaluateAll((panels) => panels.map(({ id }) => id));

/** Returns an unsigned token with these claims. */
function token(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`;
}

const OBJECT_ID = "6fb5e9a1-2f7c-4a53-9d6c-a07f2b1d3e44";
const NOW = Date.UTC(2026, 10, 21, 12);
const SECONDS = NOW / 1000;

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

describe("endpoint", () => {
  test("typed while the page still loads, it stays and is explained", async () => {
    const page = await visit("", {}, async (coming) => {
      await coming.route(/\.wasm$/, async (route) => {
        await coming.fill("#endpoint-url", "myres.openai.azure.com");
        await openTab(coming, "Token");
        await coming.fill("#token-text", token({ aud: "https://ai.azure.com" }));
        await route.continue();
      });
    });
    expect(await text(page, "endpoint-result")).toContain("https://myres.openai.azure.com/openai/v1/");
    expect(await text(page, "token-result")).toContain("https://ai.azure.com");
    expect(page.url()).toContain("endpoint=");
  });

  test("is explained while it is typed, with the code to copy", async () => {
    const page = await visit();
    await page.fill("#endpoint-url", "");
    await page.locator("#endpoint-url").pressSequentially("myres.openai.azure.com");
    const result = await text(page, "endpoint-result");
    expect(result).toContain("Azure OpenAI resource");
    expect(result).toContain("https://myres.openai.azure.com/openai/v1/");
    expect(result).toContain("https://ai.azure.com/.default");
    expect(result).toContain("scheme-added");

    await page.getByRole("button", { name: "Copy the code for TypeScript" }).click();
    const typescript = await clipboard(page);
    expect(typescript).toContain('baseUrl: "https://myres.openai.azure.com/openai/v1/",');
    expect(typescript).toContain("bearerTokenProvider: tokens,");
    expect(await text(page, "said")).toBe("Copied");
  });

  test.each<[string, string[]]>([
    [
      "Python",
      ['base_url="https://myres.openai.azure.com/openai/v1/"', "bearer_token_provider=", 'wire_model="team"'],
    ],
    [
      "C#",
      [
        'BaseUrl = "https://myres.openai.azure.com/openai/v1/"',
        "BearerTokenProvider =",
        'WireModel = "team"',
      ],
    ],
    ["Environment", ["export FOUNDRY_RESOURCE_URL=https://myres.openai.azure.com/openai/v1/", "=team"]],
    [
      "Role",
      ["az role assignment create --assignee <object-id> --role 5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"],
    ],
  ])("as code for %s", async (name, parts) => {
    const page = await visit("#endpoint=myres.openai.azure.com&deployment=team&model=gpt-5.5");
    await page.getByRole("tab", { name, exact: true }).click();
    await page.getByRole("button", { name: `Copy the code for ${name}` }).click();
    const code = await clipboard(page);
    for (const part of parts) expect(code).toContain(part);
  });

  test("tabs go by the arrow keys", async () => {
    const page = await visit("#endpoint=myres.openai.azure.com");
    await page.getByRole("tab", { name: "TypeScript" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    const languages = page.getByRole("tablist", { name: "Language" });
    expect(await languages.getByRole("tab", { selected: true }).innerText()).toBe("C#");
    await page.keyboard.press("ArrowLeft");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("tab-python");
  });

  test.each([
    ["https://<my-resource>.openai.azure.com", "endpoint/placeholder"],
    ["https://myres.openai.azure.com.attacker.example/openai/v1", "endpoint/host-lookalike"],
    ["http://myres.openai.azure.com", "endpoint/insecure-http"],
    ["https://eastus2.api.cognitive.microsoft.com/", "endpoint/regional-endpoint"],
    ["not an endpoint", "endpoint/not-a-url"],
    ["<img src=x onerror=alert(1)>", "endpoint/"],
  ])("refuses %s, and says what to do", async (url, code) => {
    const page = await visit();
    await page.fill("#endpoint-url", url);
    const result = await text(page, "endpoint-result");
    expect(result).toContain(code);
    expect(result).toContain("What to do");
    expect(await page.locator("#endpoint-url").getAttribute("aria-invalid")).toBe("true");
    expect(await page.locator("#endpoint-code").isVisible()).toBe(false);
    expect(await page.locator("#endpoint-result img").count()).toBe(0);
  });

  test("options that contradict are named", async () => {
    const page = await visit("#endpoint=myres.openai.azure.com&apiVersion=2024-10-21");
    expect(await text(page, "endpoint-result")).toContain("completions");
    await page.selectOption("#endpoint-wire", "responses");
    expect(await text(page, "endpoint-result")).toContain("provider/conflict");
  });
});

describe("token", () => {
  test("the sample counts down and expires", async () => {
    const page = await visit("#token&endpoint=myres.openai.azure.com", {}, (page) =>
      page.clock.install({ time: NOW }),
    );
    await page.click("#token-sample");
    expect(await text(page, "token-left")).toBe("1:00:00 left");
    const result = await text(page, "token-result");
    expect(result).toContain("Managed identity: shop-assistant");
    expect(result).toContain("fits the endpoint");
    await page.clock.runFor(61_000);
    expect(await text(page, "token-left")).toMatch(/^0:58:5\d left$/);
    await page.clock.fastForward("58:58");
    await page.clock.runFor(2_000);
    expect(await text(page, "token-left")).toMatch(/^Expired 0:00:0\d ago$/);
    expect(await text(page, "token-result")).toContain("token-expired");
  });

  test("of a user, for another audience than the endpoint's", async () => {
    const page = await visit("#token&endpoint=myres.openai.azure.com", {}, (page) =>
      page.clock.install({ time: NOW }),
    );
    const claims = {
      aud: "https://management.azure.com/",
      oid: OBJECT_ID,
      upn: "jo@contoso.com",
      scp: "user_impersonation",
    };
    await page.fill("#token-text", `Bearer ${token({ ...claims, iat: SECONDS, exp: SECONDS + 600 })}`);
    const result = await text(page, "token-result");
    expect(result).toContain("User: jo@contoso.com");
    expect(result).toContain("wrong-audience");
    expect(result).toContain("https://ai.azure.com");
    // The role's command names the token's principal.
    await openTab(page, "Endpoint");
    await page.getByRole("tab", { name: "Role", exact: true }).click();
    expect(await text(page, "endpoint-code")).toContain(`--assignee ${OBJECT_ID}`);
    await page.fill("#endpoint-url", "");
    expect(await text(page, "token-result")).toContain("not expired");
  });

  test.each<[string, (jwt: string) => object]>([
    [
      "az",
      (jwt) => ({ accessToken: jwt, expires_on: SECONDS + 120, expiresOn: "2026-11-21 13:02:00.000000" }),
    ],
    [
      "App Service",
      (jwt) => ({ access_token: jwt, expires_on: String(SECONDS + 120), resource: "https://ai.azure.com" }),
    ],
    ["Entra", (jwt) => ({ token_type: "Bearer", expires_in: 120, ext_expires_in: 7200, access_token: jwt })],
    ["AccessToken", (jwt) => ({ token: jwt, expiresOnTimestamp: NOW + 120_000 })],
  ])("the JSON of %s", async (_name, json) => {
    const page = await visit("#token", {}, (page) => page.clock.install({ time: NOW }));
    const jwt = token({
      aud: "https://ai.azure.com",
      idtyp: "app",
      oid: OBJECT_ID,
      iat: SECONDS,
      exp: SECONDS + 3600,
    });
    await page.fill("#token-text", JSON.stringify(json(jwt)));
    await expect.poll(() => text(page, "token-result")).toContain("Application");
    expect(await text(page, "token-left")).toMatch(/^0:0(2:00|1:5\d) left$/);
  });

  test.each([
    ['{"access_token":"x","expires_on":"N/A"}', "expiry/"],
    ['{"error":"invalid_request"}', "expiry/no-token"],
    ['{"access_token":', "expiry/not-json"],
    ["d41d8cd98f00b204e9800998ecf8427e", "opaque"],
    ["eyJhbGciOi", "opaque"],
  ])("what is wrong with %s", async (pasted, says) => {
    const page = await visit("#token");
    await page.fill("#token-text", pasted);
    await expect.poll(() => text(page, "token-result")).toContain(says);
    expect(await page.locator("#token-countdown").isVisible()).toBe(false);
    await page.click("#token-clear");
    expect(await page.inputValue("#token-text")).toBe("");
  });
});

describe("error", () => {
  test("is diagnosed with the endpoint and the token of the other panels", async () => {
    const page = await visit("#token&endpoint=myres.services.ai.azure.com");
    await page.fill(
      "#token-text",
      token({ aud: "https://ai.azure.com", oid: OBJECT_ID, idtyp: "app", exp: 4e9 }),
    );
    await openTab(page, "Error");
    await page.fill("#error-status", "401");
    await page.fill("#error-body", "Principal does not have access to API/Operation.");
    const result = await text(page, "error-result");
    expect(result).toContain("missing-role");
    expect(result).toContain(OBJECT_ID);
    await page.getByRole("button", { name: "Copy the command" }).first().click();
    expect(await clipboard(page)).toContain(
      `az role assignment create --assignee ${OBJECT_ID} --role 53ca6127-db72-4b80-b1b0-d745d6d5456d`,
    );
  });

  test.each([
    ["missing role", "missing-role"],
    ["401 of Foundry", "token-invalid"],
    ["firewall", "firewall"],
    ["quota", "Retry after 17 s"],
  ])("the example: %s", async (example, says) => {
    const page = await visit("#error");
    await page.getByRole("button", { name: example }).click();
    expect(await text(page, "error-result")).toContain(says);
  });

  test.each(["abc", "-1", "4000", ""])("the status %j is none", async (status) => {
    const page = await visit("#error");
    await page.fill("#error-body", "x");
    await page.fill("#error-status", status);
    expect(await text(page, "error-result")).toContain("diagnosis/invalid");
    expect(await page.locator("#error-status").getAttribute("aria-invalid")).toBe("true");
  });

  test("words of the network", async () => {
    const page = await visit("#error");
    await page.fill("#error-status", "0");
    await page.fill("#error-body", "getaddrinfo ENOTFOUND myres.openai.azure.com");
    expect(await text(page, "error-result")).toContain("its name cannot be resolved");
  });

  test("a failure to get a token, with and without a status", async () => {
    const page = await visit("#error");
    await page.fill("#error-body", "AADSTS7000222: The provided client secret keys are expired.");
    for (const status of ["", "401"]) {
      await page.fill("#error-status", status);
      const result = await text(page, "error-result");
      expect(result).toContain("secret-expired");
      expect(result).toContain("az ad app credential reset");
    }
  });
});

/** Returns a row of the totals: the values of the three strategies. */
async function totals(page: Page, name: string): Promise<string[]> {
  await page.waitForSelector("#refresh-totals table");
  const row = page.locator("#refresh-totals tr", {
    has: page.getByRole("rowheader", { name, exact: true }),
  });
  return row.locator("td").allInnerTexts();
}

describe("refresh", () => {
  test("a scenario is simulated, and again when a slider moves", async () => {
    const page = await visit("#lasts=14400000");
    expect(await totals(page, "Calls")).toEqual(["4,800", "4,800", "4,800"]);
    // A token per call needs as many requests as calls, and all calls during the outage fail.
    const [ours, perCall, fixed] = (await totals(page, "Failed")).map(Number);
    expect(perCall).toBe(300);
    expect(ours).toBeLessThan(perCall as number);
    expect(fixed).toBeLessThanOrEqual(perCall as number);
    const requests = await totals(page, "Requests at the identity endpoint");
    expect(requests[1]).toBe("4,800");
    expect(Number(requests[0]?.replace(",", ""))).toBeLessThan(1_000);

    // Each chart has visible shapes in more than one colour.
    for (const id of ["chart-life", "chart-keyless", "chart-per-call", "chart-fixed-window", "chart-rate"]) {
      const colors = await page.locator(`#${id} :is(rect, line, path)`).evaluateAll((shapes) => {
        const drawn = shapes.filter((shape) => {
          const { width, height } = shape.getBoundingClientRect();
          return width + height > 5;
        });
        const color = (shape: Element) => {
          const { fill, stroke } = getComputedStyle(shape);
          return stroke === "none" ? fill : stroke;
        };
        return new Set(drawn.map(color)).size;
      });
      expect(colors, id).toBeGreaterThan(1);
    }

    // Without an outage nothing fails.
    const slider = page.getByLabel("Outage lasts");
    await slider.focus();
    await page.keyboard.press("Home");
    await expect.poll(() => totals(page, "Failed")).toEqual(["0", "0", "0"]);
    expect(await slider.getAttribute("aria-valuetext")).toBe("none");
    expect(page.url()).toContain("outageFor=0");
  });

  test("a preset changes the sliders, the picture and the link", async () => {
    const page = await visit("#refresh");
    await page.getByRole("button", { name: "1-hour token, 15 min outage" }).click();
    expect(await totals(page, "Calls")).toEqual(["4,800", "4,800", "4,800"]);
    expect(await text(page, "picture-words")).toContain("for 15 min");
    expect(await page.getByLabel("Token lifetime").getAttribute("aria-valuetext")).toBe("60 min");
    const link = page.url();
    await page.goto("about:blank");
    await page.goto(link);
    expect(await totals(page, "Calls")).toEqual(["4,800", "4,800", "4,800"]);
  });

  test("a scenario comes from the link", async () => {
    const page = await visit(
      "#lasts=86400000&lifetime=86400000&outageFrom=43200000&outageFor=43200000&instances=1&outageKind=hang",
    );
    expect(await shownPanels(page)).toEqual(["refresh"]);
    expect(await totals(page, "Calls")).toEqual(["1,440", "1,440", "1,440"]);
    expect((await totals(page, "Failed"))[0]).toBe("0");
    expect(await page.locator("#scenario-outageKind").inputValue()).toBe("hang");
  });

  test("a truncated list says that it is truncated", async () => {
    const page = await visit("#lasts=172800000&every=5000");
    expect(await text(page, "refresh-result")).toContain("the first 5,000 calls");
  });
});

/** Lets the page use the emulator's endpoint and a token from it. */
async function useEmulator(page: Page): Promise<void> {
  await page.click("#try-emulator");
  await expect.poll(() => text(page, "try-target")).toMatch(/^To 127\.0\.0\.1:\d+, .*, with the token/);
  expect(await text(page, "token-result")).toContain("fits the endpoint");
}

describe("try it", () => {
  test("streams an answer of the emulator; the token goes nowhere else", async () => {
    const page = await visit("#try");
    await useEmulator(page);
    const pasted = (JSON.parse(await page.inputValue("#token-text")) as { access_token: string })
      .access_token;
    await page.fill("#try-prompt", "Say pineapple");
    await page.click("#try-send");
    const answer = page.locator("#try-answer");
    const lengths = new Set<number>();
    await expect
      .poll(
        async () => {
          lengths.add((await answer.innerText()).length);
          return text(page, "try-result");
        },
        { interval: 20, timeout: 20_000 },
      )
      .toContain("The answer is complete.");
    expect(await answer.innerText()).toContain("pineapple");
    // The answer was streamed.
    expect(lengths.size).toBeGreaterThan(3);

    const holding = [];
    for (const request of opened?.requests ?? []) {
      const all = `${request.url()} ${JSON.stringify(await request.allHeaders())} ${request.postData()}`;
      if (all.includes(pasted.slice(0, 60)) || all.includes(pasted.slice(-40))) holding.push(request);
    }
    expect(holding.map((request) => `${request.method()} ${new URL(request.url()).pathname}`)).toEqual([
      "POST /openai/v1/responses",
    ]);
    expect(page.url()).not.toContain("pineapple");
    expect(page.url()).not.toContain(pasted.slice(0, 20));
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
    );
    expect(kept).toBe('[{},{},""]');
  });

  test("sends nothing to the example's endpoint", async () => {
    const page = await visit("#try");
    await page.click("#try-send");
    expect(await text(page, "try-result")).toContain("nothing was sent");
    expect(opened?.requests.filter((request) => request.url().includes("azure.com"))).toEqual([]);
  });

  test("can be stopped", async () => {
    const page = await visit("#try");
    await useEmulator(page);
    await page.fill("#try-prompt", "word ".repeat(400));
    await page.click("#try-send");
    await page.waitForSelector("#try-answer:not([hidden])");
    await page.click("#try-stop");
    await expect.poll(() => text(page, "try-result")).toContain("You stopped the answer");
    const so = await text(page, "try-answer");
    await page.waitForTimeout(300);
    expect(await text(page, "try-answer")).toBe(so);
  });

  test("a refusal is diagnosed", async () => {
    const page = await visit("#try");
    await useEmulator(page);
    await openTab(page, "Endpoint");
    await page.fill("#endpoint-model", "gpt-9");
    await openTab(page, "Try it");
    await page.click("#try-send");
    await expect.poll(() => text(page, "try-result")).toContain("model/deployment-not-found");
    expect(opened?.faults.splice(0)).toEqual([expect.stringContaining("404")]);
    await openTab(page, "Token");
    await page.fill("#token-text", token({ aud: "https://ai.azure.com", exp: 1_700_000_000 }));
    await openTab(page, "Try it");
    await page.click("#try-send");
    await expect.poll(() => text(page, "try-result")).toContain("model/token-expired");
    // The browser itself logs responses with an error status.
    expect(opened?.faults.splice(0)).toEqual([expect.stringContaining("401")]);
  });

  test("explains a host without CORS", async () => {
    const server = createServer((_request, response) => response.end("{}"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const page = await visit(`#try&endpoint=http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
    await page.click("#try-send");
    await expect.poll(() => text(page, "try-result")).toContain("model/network");
    expect(await text(page, "try-result")).toContain("(CORS)");
    expect(opened?.faults.splice(0).join("\n")).toContain("CORS");
    server.close();
    server.closeAllConnections();
  });

  test("a token goes to a host outside Azure only after the user confirms the host", async () => {
    const page = await visit("#token&endpoint=https://llm.contoso.example/v1");
    await page.click("#token-sample");
    await openTab(page, "Try it");
    await page.click("#try-send");
    expect(await text(page, "try-result")).toContain("llm.contoso.example is not one of Azure’s hosts");
    expect(await page.getByLabel("I know this host").isVisible()).toBe(true);
    await page.getByLabel("I know this host").check();
    // Another host needs another confirmation.
    await openTab(page, "Endpoint");
    await page.fill("#endpoint-url", "https://other.contoso.example/v1");
    await openTab(page, "Try it");
    expect(await page.getByLabel("I know this host").isChecked()).toBe(false);
    expect(opened?.requests.filter((request) => request.url().includes("contoso"))).toEqual([]);
  });
});

describe("the greeting", () => {
  test("shows what the project is, and answers for an example", async () => {
    const page = await visit();
    expect(await page.title()).toBe("Check a keyless setup: endpoint, token, error");
    await page.getByRole("button", { name: "Copy the install command" }).click();
    expect(await clipboard(page)).toBe("npm install copilot-keyless @azure/identity @github/copilot-sdk");
    expect(await text(page, "endpoint-result")).toContain("https://myres.openai.azure.com/openai/v1/");
    expect(await text(page, "verdict-endpoint")).toBe("Azure OpenAI resource");
    expect(await text(page, "verdict-token")).toBe("Fits the endpoint");
    expect(await text(page, "verdict-error")).toBe("missing-role");
    await openTab(page, "Error");
    expect(await text(page, "error-result")).toContain(
      "az role assignment create --assignee d2e8f6a0-91b3-4c6d-b5f7-8e0a4c3d6e32",
    );
    // The link does not contain the example.
    expect(page.url()).toBe(`${served.address}#error`);
  });

  test("shows the outage that only copilot-keyless survives", async () => {
    const page = await visit();
    const lanes = page.locator("#picture-lanes .lane");
    expect(await lanes.locator("p").allInnerTexts()).toEqual([
      expect.stringMatching(/^copilot-keyless\s+0 failed$/),
      expect.stringMatching(/^A token per call\s+960 failed$/),
      expect.stringMatching(/^Fixed window, retry every 3 s\s+480 failed$/),
    ]);
    const failed = await lanes.evaluateAll((all) =>
      all.map((lane) => lane.querySelectorAll(".failed").length),
    );
    expect(failed[0]).toBe(0);
    expect(failed[1]).toBeGreaterThan(failed[2] as number);
    expect(failed[2]).toBeGreaterThan(0);
    // It is visible without scrolling.
    const bottom = await page
      .locator("#picture-lanes")
      .evaluate((picture) => picture.getBoundingClientRect().bottom);
    expect(bottom).toBeLessThan(page.viewportSize()?.height ?? 0);
    await page.getByRole("button", { name: "Change the scenario" }).click();
    expect(await shownPanels(page)).toEqual(["refresh"]);
  });

  test("the example ends with the first own input, so that its token never meets another endpoint", async () => {
    const page = await visit();
    await page.fill("#endpoint-url", "https://mine.openai.azure.com");
    expect(await page.inputValue("#token-text")).toBe("");
    expect(await page.inputValue("#error-body")).toBe("");
    expect(await text(page, "verdict-token")).toBe("");
    expect(await page.locator("#example-clear").isVisible()).toBe(false);
    await page.getByRole("tab", { name: "Role", exact: true }).click();
    expect(await text(page, "endpoint-code")).toContain("--assignee <object-id>");
    expect(await page.inputValue("#endpoint-model")).toBe("gpt-5.5");
  });

  test("pasted text replaces the example; Clear removes it", async () => {
    const page = await visit("#token");
    const own = token({ aud: "https://ai.azure.com", exp: 4e9 });
    await page.evaluate((pasted) => navigator.clipboard.writeText(pasted), own);
    await page.locator("#token-text").click();
    await page.keyboard.press("ControlOrMeta+v");
    expect(await page.inputValue("#token-text")).toBe(own);
    expect(await page.inputValue("#endpoint-url")).toBe("");

    await page.reload();
    await page.waitForSelector("html[data-ready]");
    await page.click("#example-clear");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("tab-token");
    for (const id of ["endpoint-url", "endpoint-model", "token-text", "error-status", "error-body"])
      expect(await page.inputValue(`#${id}`), id).toBe("");
  });
});

describe("links", () => {
  test.each(["endpoint", "token", "error", "refresh", "try"])(
    "#%s opens its panel, in sight",
    async (panel) => {
      const page = await visit(`#${panel}`, { viewport: { width: 1000, height: 700 } });
      expect(await shownPanels(page)).toEqual([panel]);
      const tab = page.locator(`#tab-${panel}`);
      expect(await tab.getAttribute("aria-selected")).toBe("true");
      const top = () => tab.evaluate((element) => element.getBoundingClientRect().top);
      await expect.poll(top).toBeLessThan(350);
      expect(await top()).toBeGreaterThanOrEqual(0);
    },
  );

  test("a tab changes the link, and a link within the page keeps what was typed", async () => {
    const page = await visit("#endpoint=myres.openai.azure.com");
    expect(await shownPanels(page)).toEqual(["endpoint"]);
    await openTab(page, "Token");
    const settings = "endpoint=https%3A%2F%2Fmyres.openai.azure.com%2F";
    expect(page.url()).toContain(`#token&${settings}`);
    const own = token({ aud: "https://ai.azure.com", exp: 4e9 });
    await page.fill("#token-text", own);
    await page.evaluate(() => {
      location.hash = "#error";
    });
    await expect.poll(() => shownPanels(page)).toEqual(["error"]);
    expect(await page.inputValue("#token-text")).toBe(own);
    expect(page.url()).toContain(`#error&${settings}`);
  });

  test("with other settings are another state of the page", async () => {
    const page = await visit("#endpoint=myres.openai.azure.com");
    await page.evaluate(() => {
      location.hash = "#endpoint=other.services.ai.azure.com";
    });
    await expect.poll(() => text(page, "endpoint-result")).toContain("Foundry resource");
  });

  test("unknown names and panels are ignored", async () => {
    const page = await visit("#nothing&token=planted&x=1&model=gpt-4o");
    expect(await shownPanels(page)).toEqual(["endpoint"]);
    expect(await page.inputValue("#endpoint-model")).toBe("gpt-4o");
    expect(await page.inputValue("#token-text")).toBe("");
    expect(page.url()).not.toContain("planted");
  });
});

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

  describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
    test.each([360, 768, 1440])("fits %i pixels and has no fault that axe finds", async (width) => {
      const page = await visit("", {
        colorScheme,
        viewport: { width, height: 800 },
        reducedMotion: "reduce",
      });
      const check = async (what: string) => {
        expect(await accessibility(page), what).toEqual([]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow, what).toBeLessThanOrEqual(0);
      };
      for (const name of ["Endpoint", "Token", "Error", "Refresh"] as const) {
        await openTab(page, name);
        await check(name);
      }
      await openTab(page, "Try it");
      await page.click("#try-send");
      await check("Try it");
      // Without the example: empty results, then warnings.
      await page.click("#example-clear");
      await check("empty");
      await openTab(page, "Endpoint");
      await page.fill("#endpoint-url", "https://gw.azure-api.net/team");
      await check("a gateway");
      const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(dark).toBe(colorScheme === "dark" ? "rgb(15, 18, 25)" : "rgb(245, 246, 250)");
    });
  });

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
      await coming.goto(`${served.address}icon.svg`);
      await coming.evaluate(async () => {
        for (const name of ["another-app-v1", "0123456789ab", `copilot-keyless ${origin}/other/ 1`])
          await (await caches.open(name)).put("/", new Response("another app"));
        await caches.open(`copilot-keyless ${origin}/ outdated`);
      });
    });
    const names = () => page.evaluate(() => caches.keys());
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await expect.poll(names).not.toContain(`copilot-keyless ${served.address} outdated`);
    expect((await names()).toSorted()).toEqual([
      "0123456789ab",
      "another-app-v1",
      expect.stringMatching(/^copilot-keyless \S+\/ [0-9a-f]{12}$/),
      `copilot-keyless ${served.address}other/ 1`,
    ]);
    await page.context().setOffline(true);
    await page.reload();
    await page.waitForSelector("html[data-ready]");
  });

  test("loads less than 160 KB first, the charts included, and nothing from elsewhere", async () => {
    const page = await visit();
    const urls = (opened?.requests ?? []).map((request) => new URL(request.url()));
    expect(urls.every(({ origin }) => origin === new URL(served.address).origin)).toBe(true);
    const files = await page.evaluate(() =>
      performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname),
    );
    const first = ["/index.html", ...files].filter((name) => !name.endsWith("offline.js"));
    expect(first.some((name) => name.endsWith(".wasm"))).toBe(true);
    const size = first
      .map((name) => brotliCompressSync(readFileSync(join(root, "www/dist", name))).length)
      .reduce((sum, one) => sum + one, 0);
    expect(size).toBeLessThan(160_000);
  });

  test("has a strict policy, in the page and from the server", async () => {
    const response = await fetch(served.address);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'");
    expect(policy).not.toContain("unsafe-inline");
    expect(policy).not.toContain("'unsafe-eval'");
    const html = await response.text();
    expect(html.replaceAll("&#39;", "'")).toContain(policy.split("; frame-ancestors")[0]);
    expect(html).not.toMatch(/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=/);
    for (const path of ["/../package.json", "/%2e%2e/package.json", "/nothing", "/assets"]) {
      expect((await fetch(new URL(path, served.address))).status).toBe(404);
    }
  });
});

test("no target of a request ends the server or leads out of its folder, and no other host's name reaches it", async () => {
  const { hostname, port } = new URL(served.address);
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
  expect(await (await fetch(served.address)).text()).toContain("<title>");
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
  const { page, requests, faults } = await open(browser, alone.resolvedUrls?.local[0] ?? "");
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
