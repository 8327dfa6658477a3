// Tests the checks of `npm run live` against the emulator.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Emulator } from "copilot-keyless/emulator";
import { expect, test } from "vitest";
import { budget, CHECKS, checked, differing, page, verdictOf, wholeText } from "../support/live.js";
import { root } from "../support/process.js";
import { jwt } from "../support/tables.js";

test("every check names a claim and the files that make it", () => {
  expect(new Set(CHECKS.map(({ name }) => name)).size).toBe(CHECKS.length);
  for (const { name, claim, files, expected } of CHECKS) {
    for (const text of [name, claim, expected]) expect(text, name).toMatch(/\S/);
    expect(
      files.filter((file) => !existsSync(join(root, file))),
      name,
    ).toEqual([]);
    expect(files, name).not.toEqual([]);
  }
});

test("every file with a claim that was not verified on live Azure is named by a check", () => {
  const mark = /not\s+(?:verified|tested)[\s*/!]+on[\s*/!]+live\s+Azure/i;
  const tracked = execFileSync("git", ["ls-files", "README.md", "docs", "js", "src", "crates", "examples"], {
    cwd: root,
    encoding: "utf8",
  });
  const marked = tracked
    .trim()
    .split("\n")
    .filter((file) => existsSync(join(root, file)) && mark.test(readFileSync(join(root, file), "utf8")));
  const named = new Set(CHECKS.flatMap(({ files }) => files));
  expect(marked.filter((file) => !named.has(file))).toEqual([]);
});

test("against the emulator nothing differs, and what it does not imitate is said", async () => {
  let emulator: Emulator | undefined;
  const report = await checked((started) => {
    emulator = started;
  });
  expect(differing(report)).toEqual([]);
  expect(report.results.map(({ name }) => name)).toEqual(CHECKS.map(({ name }) => name));
  const confirmed = report.results.filter(({ verdict }) => verdict === "confirmed");
  expect(confirmed.length).toBeGreaterThanOrEqual(28);
  for (const { seen, name } of report.results) expect(seen, name).toMatch(/\S/);

  // It sends no more than it announces, and only what it counts; the sign-in comes on top.
  const { requests, identityRequests } = budget();
  expect(report.requests.resource).toBeLessThanOrEqual(requests);
  expect(report.requests.identity).toBeLessThanOrEqual(identityRequests);
  const sent = emulator?.requests ?? [];
  expect(sent.filter(({ server }) => server === "foundry")).toHaveLength(report.requests.resource);
  for (const { server, method } of sent) expect(method).toBe(server === "foundry" ? "POST" : "GET");
});

/** An answer of the identity endpoint that the emulator's own token is put into. */
const answer = (token: string) => ({
  access_token: token,
  expires_on: "1900000000",
  resource: "https://ai.azure.com",
  token_type: "Bearer",
});

test("a platform that caches tokens and renews them by their hash confirms the claims", async () => {
  const claims = { aud: "https://ai.azure.com", exp: 1_900_000_000, iat: 1_800_000_000 };
  const [old, capable, renewed] = [
    jwt({ ...claims, uti: "old" }),
    jwt({ ...claims, uti: "capable", xms_cc: ["cp1"] }),
    jwt({ ...claims, uti: "renewed", xms_cc: ["cp1"] }),
  ] as [string, string, string];
  let asked = 0;
  const report = await checked(({ faults }) => {
    const says = (
      token: string,
      match: (query: URLSearchParams) => boolean,
      times = Number.POSITIVE_INFINITY,
    ) =>
      faults.add({
        server: "identity",
        kind: "body",
        body: answer(token),
        times,
        match: ({ query, path }) => path === "/msi/token" && match(new URLSearchParams(query)),
      });
    const newer = (query: URLSearchParams) => query.get("api-version") === "2025-03-30";
    const hash = (query: URLSearchParams) => query.has("token_sha256_to_refresh");
    says(renewed, (query) => newer(query) && hash(query));
    says(capable, (query) => newer(query) && query.has("xms_cc"));
    says(old, newer, 1);
    says(renewed, newer);
    // The first such request is the sign-in's.
    says(old, (query) => {
      const ordinary = query.get("api-version") === "2019-08-01" && query.get("resource") === claims.aud;
      if (ordinary) asked += 1;
      return ordinary && asked > 1;
    });
  });
  for (const name of [
    "the platform's cache",
    "revocation parameters, 2019-08-01",
    "identity endpoint, 2025-03-30",
    "xms_cc, 2025-03-30",
    "token_sha256_to_refresh, 2025-03-30",
  ])
    expect(verdictOf(report, name)).toMatchObject({ verdict: "confirmed" });
  expect(verdictOf(report, "token_sha256_to_refresh, 2025-03-30")?.seen).toContain("the new one again");
  for (const token of [old, capable, renewed]) expect(wholeText(report)).not.toContain(token);
});

test("a resource that answers otherwise differs, with its own words", async () => {
  const report = await checked(({ faults }) => {
    const add = (match: string, status: number, body: object) =>
      faults.add({ server: "foundry", kind: "status", status, body, match, times: 2 });
    add("no-such-route", 403, { error: { code: "Forbidden", message: "Not here." } });
    add("api-version=latest", 404, { error: { code: "404", message: "Resource not found" } });
    faults.add({
      server: "foundry",
      kind: "body",
      body: 'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n',
      headers: { "content-type": "text/event-stream" },
      match: "/openai/v1/chat/completions",
    });
  });
  expect(verdictOf(report, "wrong path")).toMatchObject({ verdict: "differs" });
  expect(verdictOf(report, "stream of Chat Completions")).toMatchObject({ verdict: "differs" });
  expect(verdictOf(report, "wrong path")?.seen).toContain("Forbidden: Not here.");
  expect(verdictOf(report, "malformed api-version")).toMatchObject({ verdict: "differs" });
  expect(page(report)).toContain("## Differs");
});

test("refusals of parameters, and the headers of a rate limit, are confirmed where they come", async () => {
  const limits = Object.fromEntries(
    ["limit-requests", "limit-tokens", "remaining-requests", "remaining-tokens"].map((name) => [
      `x-ratelimit-${name}`,
      "99",
    ]),
  );
  let answered = 0;
  const report = await checked(({ faults }) => {
    // Of the requests to this route the first is the ordinary one, the fourth and fifth have the parameters.
    const nth = (places: number[]) => (request: { path: string; query: string }) => {
      if (request.path !== "/openai/v1/responses" || request.query !== "") return false;
      return places.includes(answered);
    };
    faults.add({
      server: "foundry",
      kind: "delay",
      delayMs: 0,
      times: Number.POSITIVE_INFINITY,
      match: (request) => {
        if (request.path === "/openai/v1/responses" && request.query === "") answered += 1;
        return false;
      },
    });
    faults.add({ server: "foundry", kind: "body", body: { id: "resp_1" }, headers: limits, match: nth([1]) });
    const message = "Unknown parameter: 'copilot_keyless_unknown'.";
    const body = {
      error: {
        message,
        type: "invalid_request_error",
        param: "copilot_keyless_unknown",
        code: "unknown_parameter",
      },
    };
    faults.add({ server: "foundry", kind: "status", status: 400, body, times: 2, match: nth([4, 5]) });
  });
  for (const name of ["unsupported parameter", "over-long parameter", "headers of a rate limit"])
    expect(verdictOf(report, name)).toMatchObject({ verdict: "confirmed" });
  expect(verdictOf(report, "headers of a rate limit")?.seen).toContain("x-ratelimit-limit-tokens: 99");
});

test("without a sign-in, and without an answer, the rest is not tried", async () => {
  const noToken = await checked(({ faults }) => {
    faults.add({ server: "identity", kind: "status", status: 400, times: Number.POSITIVE_INFINITY });
  });
  expect(verdictOf(noToken, "sign-in")?.seen).toContain("not signed in: credential/refused");
  expect(verdictOf(noToken, "IMDS, 2018-02-01")?.seen).toBe("the sign-in is not a managed identity's");
  expect(verdictOf(noToken, "wrong deployment")).toMatchObject({ seen: "there is no token" });
  expect(verdictOf(noToken, "no token")).toMatchObject({ verdict: "confirmed" });

  const noAnswer = await checked(({ faults }) => {
    faults.add({ server: "foundry", kind: "reset", times: Number.POSITIVE_INFINITY });
  });
  expect(verdictOf(noAnswer, "ordinary request")).toMatchObject({ verdict: "not tried" });
  expect(noAnswer.requests.resource).toBe(1);
});

test("an abort ends it at once; the rest is not tried", async () => {
  const stop = new AbortController();
  const report = await checked(
    ({ faults }) => {
      faults.add({ server: "foundry", kind: "hang", match: "no-such-route" });
    },
    {
      signal: stop.signal,
      onCheck: ({ name }) => {
        if (name === "no model") setTimeout(() => stop.abort(), 50);
      },
    },
  );
  expect(verdictOf(report, "no model")).toMatchObject({ verdict: "confirmed" });
  expect(verdictOf(report, "wrong path")).toMatchObject({ seen: "interrupted" });
  expect(report.results.at(-1)).toMatchObject({ seen: "interrupted" });
});
