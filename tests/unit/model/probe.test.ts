// Tests probe() over real HTTP: with the emulator, and with servers that misbehave in other ways.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { parseEndpoint } from "copilot-keyless";
import { type Diagnosis, KeylessError, type ProbeOptions, probe } from "copilot-keyless/direct";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { resourceError } from "../../../js/emulator/errors.js";

const emulator = await startEmulator();
const endpoint = `${emulator.env.FOUNDRY_RESOURCE_URL}/openai/v1/`;
const servers: Server[] = [];
afterEach(() => emulator.faults.clear());
afterAll(async () => {
  await emulator.stop();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** A token of the emulator's managed identity. */
async function tokenFor(resource: string): Promise<string> {
  const response = await fetch(
    `${emulator.identity.endpoint}?api-version=2019-08-01&resource=${encodeURIComponent(resource)}`,
    { headers: { "x-identity-header": emulator.env.IDENTITY_HEADER } },
  );
  return ((await response.json()) as { access_token: string }).access_token;
}

const token = await tokenFor("https://ai.azure.com");

/** Runs probe() and checks that its result does not contain the token. */
async function probed(options: Partial<ProbeOptions> = {}): Promise<Diagnosis> {
  const diagnosis = await probe({ endpoint, token, ...options });
  expect(inspect(diagnosis, { depth: null, showHidden: true })).not.toContain(token.slice(-30));
  expect(diagnosis.cause).not.toBe("");
  return diagnosis;
}

async function failed(options: unknown): Promise<unknown> {
  const error = await probe(options as ProbeOptions).then(
    (diagnosis) => {
      throw new Error(`Not rejected: ${diagnosis.code}`);
    },
    (reason: unknown) => reason,
  );
  expect(inspect(error, { depth: null, showHidden: true })).not.toContain(token.slice(-30));
  return error;
}

/** Starts a server on this machine. Returns its endpoint. */
async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/openai/v1/`;
}

/** Returns the last request to the emulated resource. */
function last() {
  return emulator.requests.filter((request) => request.server === "foundry").at(-1);
}

describe("the request", () => {
  test("with a model, one inference that is small, not stored and not streamed", async () => {
    const bodies: string[] = [];
    const heads: IncomingMessage["headers"][] = [];
    const own = await serve((request, response) => {
      heads.push(request.headers);
      let body = "";
      request.on("data", (part) => {
        body += part;
      });
      request.on("end", () => {
        bodies.push(`${request.method} ${request.url} ${body}`);
        response.end('{"output":[]}');
      });
    });
    expect((await probed({ endpoint: own, model: "gpt-5.5", headers: { "X-Team": "blue" } })).code).toBe(
      "ok",
    );
    expect(bodies).toEqual([
      'POST /openai/v1/responses {"model":"gpt-5.5","input":"Hi","max_output_tokens":16,"store":false}',
    ]);
    expect(heads[0]).toMatchObject({
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "x-team": "blue",
    });
  });

  test.each<[string, Partial<ProbeOptions>, string]>([
    ["responses", { model: "gpt-5.5" }, "POST /openai/v1/responses"],
    ["chat completions", { model: "gpt-5.5", wireApi: "completions" }, "POST /openai/v1/chat/completions"],
    ["no model", {}, "GET /openai/v1/models"],
    [
      "a dated version",
      { model: "gpt-4o", apiVersion: "2024-10-21", wireApi: "completions" },
      "POST /openai/deployments/gpt-4o/chat/completions",
    ],
    ["dated responses", { model: "gpt-5.5", apiVersion: "2025-04-01-preview" }, "POST /openai/responses"],
    [
      "an endpoint that was read, with its type",
      {
        endpoint: parseEndpoint(`${emulator.foundry.url}/anthropic`, { type: "anthropic" }),
        model: "gpt-5.5",
      },
      "POST /anthropic/v1/messages",
    ],
    [
      "an endpoint that was read, with its date",
      {
        endpoint: parseEndpoint(emulator.foundry.url, { apiVersion: "2025-04-01-preview" }),
        model: "gpt-5.5",
        apiVersion: undefined,
      },
      "POST /openai/responses",
    ],
    [
      "a project",
      { endpoint: `${emulator.foundry.url}/api/projects/p1/openai/v1` },
      "GET /api/projects/p1/openai/v1/models",
    ],
  ])("%s: served", async (_name, options, expected) => {
    const diagnosis = await probed(options);
    expect(diagnosis).toMatchObject({ code: "ok", status: 200, fixes: [], retryable: false });
    expect(diagnosis.message).toBeUndefined();
    expect(`${last()?.method} ${last()?.path}`).toBe(expected);
  });

  test("a token in an AccessToken, or behind Bearer", async () => {
    const given = { token, expiresOnTimestamp: Date.now() + 60_000 };
    expect((await probed({ token: given })).code).toBe("ok");
    expect((await probed({ token: `Bearer ${token}` })).code).toBe("ok");
  });
});

describe("the response of the resource", () => {
  test("a missing role", async () => {
    emulator.foundry.setRoles([]);
    try {
      const { code, message, fixes } = await probed({ model: "gpt-5.5" });
      expect(code).toBe("missing-role");
      expect(message).toContain("lacks the required data action");
      expect(fixes[0]).toContain(emulator.identity.principalId);
    } finally {
      emulator.foundry.setRoles(["Foundry User"]);
    }
  });

  test("a token for another audience", async () => {
    const other = await tokenFor("https://management.azure.com");
    const diagnosis = await probe({ endpoint, token: other });
    expect(diagnosis).toMatchObject({ code: "wrong-audience", status: 401, tokenRejected: true });
    expect(inspect(diagnosis)).not.toContain(other.slice(-30));
  });

  test("no token", async () => {
    const diagnosis = await probed({ token: undefined });
    expect(diagnosis).toMatchObject({ code: "token-invalid", status: 401 });
    expect(diagnosis.cause).toContain("the request had none");
    expect(last()?.authorization).toMatchObject({ scheme: "none" });
  });

  test("a firewall", async () => {
    emulator.faults.add({ server: "foundry", kind: "status", error: "firewall" });
    expect(await probed()).toMatchObject({ code: "firewall", status: 403, retryable: false });
  });

  test("no such deployment", async () => {
    const diagnosis = await probed({ model: "gpt-unknown" });
    expect(diagnosis).toMatchObject({ code: "deployment-not-found", status: 404 });
    expect(diagnosis.cause).toContain("gpt-unknown");
  });

  test("too many requests, with the time to wait", async () => {
    emulator.faults.add({
      server: "foundry",
      kind: "status",
      status: 429,
      headers: { "retry-after": "7", "retry-after-ms": "7000" },
    });
    expect(await probed()).toMatchObject({ code: "rate-limited", retryAfterMs: 7000, retryable: true });
  });

  test("a failure of its own, with the id of the request", async () => {
    emulator.faults.add({ server: "foundry", kind: "status", status: 500 });
    const diagnosis = await probed();
    expect(diagnosis).toMatchObject({ code: "server-error", status: 500, retryable: true });
    expect(diagnosis.requestId).toMatch(/^[\w-]{20,}$/);
  });

  test.each(["<html><title>Sign in</title></html>", "OK", ""])("no JSON: %j", async (body) => {
    emulator.faults.add({ server: "foundry", kind: "body", body });
    expect(await probed()).toMatchObject({ code: "wrong-path", status: 200 });
  });

  test("the token, quoted back", async () => {
    emulator.faults.add({
      server: "foundry",
      kind: "status",
      status: 400,
      body: { error: { message: `No: ${token}` } },
    });
    expect(await probed()).toMatchObject({ code: "bad-request", status: 400 });
  });

  test("more than is read: the rest is not fetched", async () => {
    const whole = 10 * 1024 * 1024;
    let sent = 0;
    let closed = () => {};
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const own = await serve((_request, response) => {
      response.writeHead(400, { "content-type": "application/json" });
      response.once("close", closed);
      const part = Buffer.alloc(65_536, " ");
      const push = () => {
        while (sent < whole && !response.destroyed) {
          sent += part.length;
          if (!response.write(part)) return;
        }
        if (sent >= whole) response.end();
      };
      response.on("drain", push);
      response.write('{"error":{"code":"BadRequest","message":"Too much"}}');
      push();
    });
    expect(await probed({ endpoint: own })).toMatchObject({ code: "bad-request", message: "Too much" });
    await gone;
    expect(sent).toBeLessThan(whole);
  });

  test("a redirect: it is not followed, so no other host sees the token", async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end("{}");
    });
    for (const status of [301, 302, 303, 307, 308]) {
      const own = await serve((_request, response) => {
        response.writeHead(status, { location: other });
        response.end();
      });
      for (const model of [undefined, "gpt-5.5"]) {
        const diagnosis = await probed({ endpoint: own, model });
        expect(diagnosis).toMatchObject({ code: "unknown", status });
        expect(diagnosis.cause).toContain("redirects");
      }
    }
    expect(seen).toEqual([]);
  });
});

describe("when no answer comes", () => {
  test("a reset connection", async () => {
    emulator.faults.add({ server: "foundry", kind: "reset" });
    const diagnosis = await probed();
    expect(diagnosis).toMatchObject({ code: "network", retryable: true });
    expect(diagnosis).not.toHaveProperty("status");
    expect(diagnosis.message).toContain("ECONNRESET");
  });

  test("an answer that breaks off", async () => {
    emulator.faults.add({ server: "foundry", kind: "cut-stream" });
    expect(await probed()).toMatchObject({ code: "network", message: "terminated" });
  });

  test("a refusal that breaks off stands by itself", async () => {
    const own = await serve((_request, response) => {
      response.writeHead(403, { "content-type": "application/json", "content-length": "1000" });
      response.write(JSON.stringify(resourceError("firewall").body));
      setTimeout(() => response.destroy(), 20);
    });
    expect(await probed({ endpoint: own })).toMatchObject({ code: "firewall", status: 403 });
  });

  test("a resource that hangs", async () => {
    emulator.faults.add({ server: "foundry", kind: "hang" });
    const diagnosis = await probed({ timeoutMs: 100 });
    expect(diagnosis).toMatchObject({ code: "network", message: "no answer within 100 ms" });
    expect(diagnosis.cause).toContain("in time");
  });

  test("a body that hangs", async () => {
    const own = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write("{");
    });
    expect(await probed({ endpoint: own, timeoutMs: 150 })).toMatchObject({
      code: "network",
      message: "no answer within 150 ms",
    });
  });

  test("no server listens at the address", async () => {
    const own = await serve(() => {});
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const diagnosis = await probed({ endpoint: own });
    expect(diagnosis.code).toBe("network");
    expect(diagnosis.message).toContain("ECONNREFUSED");
    expect(diagnosis.cause).toContain("refused");
  });

  test.each(["nothing.invalid", "xn--nichts-kva.invalid"])("no such name: %s", async (host) => {
    const diagnosis = await probed({ endpoint: `https://${host}/v1` });
    expect(diagnosis.code).toBe("network");
    expect(diagnosis.message).toMatch(/ENOTFOUND|EAI_AGAIN/);
    expect(diagnosis.cause).toContain(`${host} did not respond: its name cannot be resolved`);
  });

  test("a browser's words lead to CORS", async () => {
    const platform = globalThis.fetch;
    globalThis.fetch = () => Promise.reject(new TypeError("Failed to fetch"));
    try {
      const diagnosis = await probed();
      expect(diagnosis).toMatchObject({ code: "network", message: "Failed to fetch" });
      expect(diagnosis.fixes.join()).toContain("CORS");
    } finally {
      globalThis.fetch = platform;
    }
  });

  test("a program's own fetch, whose responses have no address", async () => {
    const platform = globalThis.fetch;
    globalThis.fetch = () => Promise.resolve(new Response('{"output":[]}', { status: 200 }));
    try {
      expect((await probed()).code).toBe("ok");
    } finally {
      globalThis.fetch = platform;
    }
  });
});

describe("an abort", () => {
  test("before anything is sent", async () => {
    const before = emulator.counts.foundry;
    expect(await failed({ endpoint, token, signal: AbortSignal.abort("stop") })).toBe("stop");
    expect(emulator.counts.foundry).toBe(before);
  });

  test("while waiting for a response: the connection is closed", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    let closed = () => {};
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const own = await serve((request) => {
      request.socket.once("close", closed);
      controller.abort(reason);
    });
    expect(await failed({ endpoint: own, token, signal: controller.signal })).toBe(reason);
    await gone;
  });

  test("within the body", async () => {
    const controller = new AbortController();
    let closed = () => {};
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const own = await serve((request, response) => {
      request.socket.once("close", closed);
      response.writeHead(200);
      response.write("{");
      setTimeout(() => controller.abort(), 50);
    });
    expect(await failed({ endpoint: own, token, signal: controller.signal })).toMatchObject({
      name: "AbortError",
    });
    await gone;
  });

  test("the signal keeps no listener", async () => {
    const controller = new AbortController();
    let held = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      held += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      held -= 1;
      remove(...args);
    };
    expect((await probed({ signal })).code).toBe("ok");
    expect(held).toBe(0);
  });
});

test.each<[string, unknown, string]>([
  ["nothing at all", undefined, "endpoint/empty"],
  ["no endpoint", { token }, "endpoint/empty"],
  ["a placeholder", { endpoint: "https://<my-resource>.openai.azure.com", token }, "endpoint/placeholder"],
  [
    "a look-alike",
    { endpoint: "https://myres.openai.azure.com.evil.example", token },
    "endpoint/host-lookalike",
  ],
  ["a blank model", { endpoint, token, model: "" }, "provider/model"],
  [
    "Anthropic without a model",
    { endpoint: `${emulator.foundry.url}/anthropic`, type: "anthropic", token },
    "provider/model",
  ],
  ["two types", { endpoint, token, type: "openai", apiVersion: "2024-10-21" }, "provider/conflict"],
  ["a header of the token", { endpoint, token, headers: { authorization: token } }, "provider/header"],
  ["a type that is none", { endpoint, token, type: "x" }, "provider/conflict"],
  ["no time", { endpoint, token, timeoutMs: 0 }, "provider/limit"],
  ["a time that is none", { endpoint, token, timeoutMs: "soon" }, "provider/limit"],
  ["an empty token", { endpoint, token: "" }, "token/empty"],
  ["a token with a line break", { endpoint, token: `${token}\nx` }, "token/malformed"],
  ["no token at all", { endpoint, token: 5 }, "token/malformed"],
])("%s is refused before anything is sent", async (_name, options, code) => {
  const before = emulator.counts.foundry;
  const error = await failed(options);
  expect(error).toBeInstanceOf(KeylessError);
  expect(error).toMatchObject({ code, hint: expect.any(String) });
  expect(emulator.counts.foundry).toBe(before);
});

test("many at a time", async () => {
  const all = await Promise.all(Array.from({ length: 50 }, () => probed()));
  expect(new Set(all.map(({ code }) => code))).toEqual(new Set(["ok"]));
});
