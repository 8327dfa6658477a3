/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// Tests the panels of the built page in Chromium, with the emulator.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { clipboard, inBrowser, openTab, shownPanels, text, token } from "./support.js";

const shown = inBrowser();
const { visit } = shown;

const OBJECT_ID = "6fb5e9a1-2f7c-4a53-9d6c-a07f2b1d3e44";
const NOW = Date.UTC(2026, 10, 21, 12);
const SECONDS = NOW / 1000;

describe("endpoint", () => {
  test("typed while the page still loads, it stays and is explained", async () => {
    const page = await visit("", {}, async (coming) => {
      const type = async (route: { continue(): Promise<void> }) => {
        await coming.fill("#endpoint-url", "myres.openai.azure.com");
        await openTab(coming, "Token");
        await coming.fill("#token-text", token({ aud: "https://ai.azure.com" }));
        await route.continue();
      };
      await coming.route(/(plan|dev)_bg[^/]*\.wasm$/, type, { times: 1 });
    });
    expect(await text(page, "endpoint-result")).toContain("https://myres.openai.azure.com/openai/v1/");
    await expect.poll(() => text(page, "token-result")).toContain("https://ai.azure.com");
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
    ["Rust", ['const DEPLOYMENT: &str = "team";', "#[tokio::main]"]],
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
    expect(result).not.toContain("could not be loaded");
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
    for (const request of shown.requests) {
      const all = `${request.url()} ${JSON.stringify(await request.allHeaders())} ${request.postData()}`;
      if (all.includes(pasted.slice(0, 60)) || all.includes(pasted.slice(-40))) holding.push(request);
    }
    expect(holding.map((request) => `${request.method()} ${new URL(request.url()).pathname}`)).toEqual([
      "POST /v1/responses",
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
    expect(shown.requests.filter((request) => request.url().includes("azure.com"))).toEqual([]);
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
    expect(shown.faults.splice(0)).toEqual([expect.stringContaining("404")]);
    await openTab(page, "Token");
    await page.fill("#token-text", token({ aud: "https://ai.azure.com", exp: 1_700_000_000 }));
    await openTab(page, "Try it");
    await page.click("#try-send");
    await expect.poll(() => text(page, "try-result")).toContain("model/token-expired");
    // The browser itself logs responses with an error status.
    expect(shown.faults.splice(0)).toEqual([expect.stringContaining("401")]);
  });

  test("explains a host without CORS", async () => {
    const server = createServer((_request, response) => response.end("{}"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const page = await visit(`#try&endpoint=http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
    await page.click("#try-send");
    await expect.poll(() => text(page, "try-result")).toContain("model/network");
    expect(await text(page, "try-result")).toContain("(CORS)");
    expect(shown.faults.splice(0).join("\n")).toContain("CORS");
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
    expect(shown.requests.filter((request) => request.url().includes("contoso"))).toEqual([]);
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
    expect(page.url()).toBe(`${shown.address}#error`);
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
