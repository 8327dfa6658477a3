// Tests `npm run live`: its checks against the emulator, what it says first, how it stops, and that
// its report holds no token, id or name.

import { execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Emulator } from "copilot-keyless/emulator";
import pc from "picocolors";
import { afterEach, expect, test, vi } from "vitest";
// @ts-expect-error It is plain JavaScript.
import { budget, CHECKS } from "../live/catalogue.mjs";
// @ts-expect-error It is plain JavaScript.
import { liveEmulated } from "../live/emulated.mjs";
// @ts-expect-error It is plain JavaScript.
import { Redactor } from "../live/redact.mjs";
// @ts-expect-error It is plain JavaScript.
import { pageOf, textOf } from "../live/report.mjs";
import { root, run } from "../support/process.js";
import { jwt } from "../support/tables.js";

interface Check {
  name: string;
  claim: string;
  files: string[];
  expected: string;
}
interface Result extends Check {
  verdict: "confirmed" | "differs" | "not tried";
  seen: string;
}
interface Report {
  results: Result[];
  requests: { resource: number; identity: number };
}

/**
 * Runs the checks, after `prepare`. With the direct credential: MSAL keeps the first emulator's
 * address and tokens for the whole process.
 */
async function checked(
  prepare: (emulator: Emulator) => unknown = () => {},
  options: { signal?: AbortSignal; settings?: object; onCheck?: (result: Result) => void } = {},
): Promise<Report> {
  return liveEmulated({ signal: new AbortController().signal, credential: "direct", prepare, ...options });
}

const verdictOf = ({ results }: Report, name: string) => results.find((result) => result.name === name);

/** Everything that a run shows or writes. */
const wholeText = (report: Report) =>
  [pageOf(report), textOf(report, pc.createColors(false)), JSON.stringify(report)].join("\n");

afterEach(() => vi.unstubAllEnvs());

test("every check names a claim and the files that make it", () => {
  expect(new Set(CHECKS.map(({ name }: Check) => name)).size).toBe(CHECKS.length);
  for (const { name, claim, files, expected } of CHECKS as Check[]) {
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
  const named = new Set(CHECKS.flatMap(({ files }: Check) => files));
  expect(marked.filter((file) => !named.has(file))).toEqual([]);
});

test("against the emulator nothing differs, and what it does not imitate is said", async () => {
  let emulator: Emulator | undefined;
  const report = await checked((started) => {
    emulator = started;
  });
  expect(report.results.filter(({ verdict }) => verdict === "differs")).toEqual([]);
  expect(report.results.map(({ name }) => name)).toEqual(CHECKS.map(({ name }: Check) => name));
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
  expect(pageOf(report)).toContain("## Differs");
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
  expect(verdictOf(noToken, "sign-in")).toMatchObject({ verdict: "differs" });
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

test("the report holds no planted token, secret, id, host or name", async () => {
  const [tenant, principal, request, client] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const token = jwt({ tid: tenant, oid: principal, upn: "ada@contoso.example" });
  const [, payload, signature] = token.split(".") as [string, string, string];
  const planted = {
    token,
    payload,
    signature,
    tenant,
    principal,
    request,
    client,
    compact: randomUUID().replaceAll("-", ""),
    secret: "pl4nted~secret.value",
    key: "9f8e7d6c5b4a39281706f5e4d3c2b1a0QWERTY",
    user: "ada.lovelace@contoso.example",
    login: "ada.lovelace",
    base64: "aGk/dGhlcmUgeW91IDEyMw/LmtleQ+9Zz1B/4Qw==",
    host: "contoso-prod-eus.openai.azure.com",
    gateway: "gw.corp.contoso.internal",
    address: "203.0.113.77",
    address6: "2001:db8:85a3::8a2e:370:7334",
    subscription: "/subscriptions/5b0c6f3e-0000-4000-8000-abcdefabcdef/resourceGroups/rg-contoso-prod",
    group: "rg-contoso-prod",
    site: "contoso-chat-site",
    deployment: "contoso-deploy-1",
  };
  vi.stubEnv("AZURE_CLIENT_SECRET", planted.secret);
  vi.stubEnv("WEBSITE_SITE_NAME", planted.site);
  vi.stubEnv("AZURE_CLIENT_ID", planted.client);
  const words = Object.entries(planted)
    .filter(([name]) => !["payload", "signature", "group", "login"].includes(name))
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
  const body = { error: { code: "DeploymentNotFound", message: `\`x\` | ${words}\nBearer ${token}` } };
  const headers = {
    "www-authenticate": `Bearer realm="${tenant}", authorization_uri="https://${planted.gateway}/${tenant}", claims="${Buffer.from(token).toString("base64")}"`,
    "x-ratelimit-key": planted.deployment,
    "x-ratelimit-limit-requests": planted.key,
  };
  const each = { times: Number.POSITIVE_INFINITY, headers };
  const settings = { model: planted.deployment };
  const principals: string[] = [];

  const known = new Redactor(process.env);
  known.learn("deployment", planted.deployment);
  for (const value of words.split(", ").map((pair) => pair.slice(pair.indexOf(" ") + 1)))
    for (const text of [
      `at ${value}.`,
      `(${value}), and`,
      `'${value}'`,
      `"x":"${value}"`,
      `https://${value}/v1`,
    ])
      expect(known.clean(text).toLowerCase(), text).not.toContain(value.toLowerCase());
  expect(known.clean(planted.user)).not.toContain(planted.login);

  // Every response of the resource and of the identity endpoint repeats them, in turn.
  const reports = [
    await checked(undefined, { settings }),
    await checked(
      (emulator) => {
        const { tenantId, clientId, principalId, resourceId } = emulator.identity;
        principals.push(
          tenantId,
          clientId,
          principalId,
          resourceId,
          emulator.foundry.url.slice(7),
          emulator.env.IDENTITY_HEADER,
        );
        emulator.faults.add({ server: "foundry", kind: "status", status: 401, body, ...each });
      },
      { settings },
    ),
    await checked(
      ({ faults }) => {
        faults.add({ server: "foundry", kind: "body", status: 200, body: { ...body, note: words }, ...each });
      },
      { settings },
    ),
    await checked(
      ({ faults }) => {
        const plain = { statusCode: 500, message: words, correlationId: request };
        faults.add({ server: "identity", kind: "status", status: 400, body: plain, ...each });
      },
      { settings },
    ),
    await checked(
      ({ faults }) => {
        faults.add({ server: "foundry", kind: "body", status: 502, body: `<html>${words}</html>`, ...each });
      },
      { settings },
    ),
  ];
  for (const [index, report] of reports.entries()) {
    const text = wholeText(report);
    for (const [name, value] of [...Object.entries(planted), ...principals.entries()])
      expect(text.toLowerCase().includes(value.toLowerCase()), `${name} in report ${index}`).toBe(false);
    expect(text).not.toMatch(/eyJ[\w-]{6}|Bearer (?!\[)[\w-]{6}/);
    expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
  }
  expect(verdictOf(reports[1] as Report, "challenge of a 401")?.seen).toContain(
    "Bearer realm authorization_uri claims",
  );
});

test.each([
  ["account", "https://contoso-prod.openai.azure.com", "/openai/v1/responses"],
  ["project", "https://contoso-prod.services.ai.azure.com/api/projects/contoso-project", "/api/projects/"],
])(
  "an endpoint of Azure, of an %s: nothing differs, and no name is in the report",
  async (_kind, url, path) => {
    const real = globalThis.fetch;
    let emulator: Emulator | undefined;
    vi.stubGlobal("fetch", (input: string, init?: RequestInit) => {
      const { hostname, pathname, search } = new URL(input);
      const elsewhere = hostname.startsWith("contoso-prod.");
      return real(elsewhere ? `${emulator?.foundry.url}${pathname}${search}` : input, init);
    });
    try {
      const report = await checked((started) => {
        emulator = started;
        process.env.FOUNDRY_RESOURCE_URL = url;
        const message = `No route at ${url}, resource contoso-prod, part ${url.split("/").at(-1)}.`;
        started.faults.add({
          server: "foundry",
          kind: "status",
          status: 404,
          match: "no-such-route",
          body: { error: { code: "404", message } },
        });
      });
      expect(report.results.filter(({ verdict }) => verdict === "differs")).toEqual([]);
      expect(verdictOf(report, "ordinary request")).toMatchObject({ verdict: "confirmed" });
      expect(verdictOf(report, "wrong path")?.seen).toContain("resource [resource]");
      expect(emulator?.requests.some((request) => request.path.startsWith(path))).toBe(true);
      expect(/.{0,40}contoso.{0,40}/i.exec(wholeText(report))?.[0]).toBeUndefined();
    } finally {
      vi.unstubAllGlobals();
    }
  },
);

test("the same value gets the same placeholder, and public hosts stay", () => {
  const redactor = new Redactor({ FOUNDRY_API_KEY: "k3y-of-somebody", AZURE_TOKEN_CREDENTIALS: "dev" });
  redactor.learn("deployment", "gpt");
  const [one, other] = [randomUUID(), randomUUID()];
  expect(redactor.clean(`${one} ${other} ${one.toUpperCase()}`)).toBe("[id-1] [id-2] [id-1]");
  expect(redactor.clean("audience is incorrect (https://ai.azure.com), or have")).toContain(
    "(https://ai.azure.com),",
  );
  expect(redactor.clean("to https://x.openai.azure.com/openai/v1, see https://aka.ms/x")).toBe(
    "to https://[host-1]/openai/v1, see https://aka.ms/x",
  );
  expect(redactor.clean("the deployment gpt, not gpt-4o; dev")).toBe(
    "the deployment [deployment], not gpt-4o; dev",
  );
  expect(redactor.clean("k3y-of-somebody and K3Y-OF-SOMEBODY")).toBe("[secret] and [secret]");
  expect(redactor.clean("2024-10-21, 12:30:45, 1.0.14, response.completed, x-ratelimit-limit-requests")).toBe(
    "2024-10-21, 12:30:45, 1.0.14, response.completed, x-ratelimit-limit-requests",
  );
  const operation =
    "Microsoft.CognitiveServices/accounts/OpenAI/responses/write to POST /openai/v1/chat/completions";
  expect(redactor.clean(operation)).toBe(operation);
});

/** This process's environment without Azure's variables. */
const environment = (env: Record<string, string> = {}) => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(AZURE|FOUNDRY|IDENTITY|IMDS|MSI|OPENAI|NO_COLOR)/.test(name),
    ),
  ),
  ...env,
});

const live = (args: string[], env?: Record<string, string>) =>
  run(process.execPath, [join(root, "scripts/live.mjs"), ...args], {
    env: environment(env) as Record<string, string>,
  });

test("the command says what to set, and what it sends and costs before it asks", async () => {
  const unset = await live(["--yes"]);
  expect(unset.code).toBe(1);
  expect(unset.stderr).toContain("Set FOUNDRY_RESOURCE_URL");
  expect(unset.stderr).toContain("--emulator");

  const asked = await live([], { FOUNDRY_RESOURCE_URL: "https://contoso.openai.azure.com" });
  expect(asked.code).toBe(1);
  const { requests, outputTokens } = budget();
  expect(asked.stderr.replaceAll(/\s+/g, " ")).toContain(
    `at most ${requests} short requests to your resource`,
  );
  expect(asked.stderr.replaceAll(/\s+/g, " ")).toContain(`at most ${outputTokens} tokens`);
  expect(asked.stderr).toContain("Add --yes");

  const elsewhere = await live(["--yes"], { FOUNDRY_RESOURCE_URL: "https://gw.contoso.example/v1" });
  expect(elsewhere.stderr).toContain("live/endpoint");
});

test("the command prints JSON without colours, and writes the report", async () => {
  const { code, stdout } = await live(["--emulator", "--json"], { FORCE_COLOR: "1" });
  expect(code).toBe(0);
  const report = JSON.parse(stdout) as Report;
  expect(report.results).toHaveLength(CHECKS.length);
  expect(verdictOf(report, "expiry of the credential")?.seen).toContain("credential managed-identity");
  expect(report.results.filter(({ verdict }) => verdict === "differs")).toEqual([]);
  expect(stdout).not.toContain("\u001b");
  expect(readFileSync(join(root, "target/live-report.md"), "utf8")).toContain("# Live report");
});

test.skipIf(process.platform === "win32")("Ctrl-C ends the command with 130", async () => {
  const child = spawn(process.execPath, [join(root, "scripts/live.mjs"), "--emulator"], {
    cwd: root,
    env: environment(),
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
    // A second one would end it the hard way.
    if (!child.killed && stderr.includes("… 1/")) child.kill("SIGINT");
  });
  child.stdout.resume();
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code).toBe(130);
  expect(stderr).toContain("Interrupted");
});
