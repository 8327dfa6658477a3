// Runs the tests of the gateway on edge gateways, and tests what only these do.

import { KeylessError } from "copilot-keyless";
import { createEdgeGateway, type EdgeGatewayOptions } from "copilot-keyless/edge";
import { describe, expect, test } from "vitest";
import { credentialOf, edgeGateway } from "./edge-support.js";
import { KEY, resource, tokenFunction, useGateways } from "./support.js";

useGateways(edgeGateway, "edge");
await import("./gateway.test.js");

const edge = (endpoint: string, options: Partial<EdgeGatewayOptions> = {}) =>
  createEdgeGateway({
    endpoint,
    key: KEY,
    env: {},
    credential: credentialOf(tokenFunction(() => "token-1")),
    ...options,
  });
const URL_OF = "https://gateway.example/openai/v1/responses";
const asked = (headers: Record<string, string> = {}, url = URL_OF) =>
  new Request(url, { method: "POST", headers: { "api-key": KEY, ...headers }, body: "{}" });
const codeOf = async (response: Response) => [response.status, (await response.json()).error.code];

describe("options", () => {
  test.each<[string, Partial<EdgeGatewayOptions>, RegExp]>([
    ["no key", { key: undefined as never }, /key is required/],
    ["a short key", { key: "short" }, /16 to 512/],
    ["an unknown option", { port: 1 } as object, /no option port/],
    ["an unknown limit", { limits: { maxRequests: 1 } as object }, /limits\.maxRequests does not exist/],
  ])("%s is refused", (_name, options, message) => {
    let error: unknown;
    try {
      edge("http://127.0.0.1:9/openai/v1/", options);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(KeylessError);
    expect(error).toMatchObject({ code: "gateway/invalid-option", message: expect.stringMatching(message) });
  });
});

describe("access", () => {
  const reached: string[] = [];
  const target = () =>
    resource((request, response) => {
      reached.push(`${request.method} ${request.url}`);
      response.end("ok");
    });

  test("no request without the key, of a page or of another host reaches the resource", async () => {
    const gateway = edge(await target(), {
      allowHosts: ["gateway.example"],
      allowOrigins: ["https://app.example"],
    });
    const refused: [headers: Record<string, string>, url: string, code: unknown[]][] = [
      [{ "api-key": "wrong-key-of-tests" }, URL_OF, [401, "gateway/wrong-key"]],
      [{ origin: "https://evil.example" }, URL_OF, [403, "gateway/origin"]],
      [{ upgrade: "websocket" }, URL_OF, [426, "gateway/upgrade"]],
      [{ host: "evil.example" }, URL_OF, [403, "gateway/host"]],
      [{}, "https://evil.example/openai/v1/responses", [403, "gateway/host"]],
      [{}, "https://gateway.example/admin", [404, "gateway/unknown-path"]],
      [{}, "https://gateway.example//openai/v1/responses", [400, "gateway/double-slash"]],
      [{}, "https://gateway.example/openai/v1/a%2f..%2fadmin", [400, "gateway/bad-path"]],
    ];
    for (const [headers, url, code] of refused)
      expect(await codeOf(await gateway(asked(headers, url))), url).toEqual(code);
    const noKey = await gateway(new Request(URL_OF));
    expect([noKey.headers.get("www-authenticate"), ...(await codeOf(noKey))]).toEqual([
      "Bearer",
      401,
      "gateway/missing-key",
    ]);
    expect((await gateway(new Request(URL_OF, { method: "OPTIONS" }))).status).toBe(405);
    expect(reached).toEqual([]);
    expect(await (await gateway(asked({ origin: "https://app.example" }))).text()).toBe("ok");
    expect(reached).toEqual(["POST /openai/v1/responses"]);
  });

  test("healthz needs no key and asks nobody", async () => {
    const gateway = edge("http://127.0.0.1:9/openai/v1/");
    const health = await gateway(new Request("https://gateway.example/healthz"));
    expect([health.status, await health.text()]).toEqual([200, '{"status":"ok"}']);
    const head = await gateway(new Request("https://gateway.example/", { method: "HEAD" }));
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  test("after close() every request is answered 503", async () => {
    const gateway = edge(await target());
    gateway.close();
    expect(await codeOf(await gateway(asked()))).toEqual([503, "gateway/closing"]);
  });

  test("what is no Request is refused, and a request after the client has left sends nothing", async () => {
    const before = reached.length;
    const log: unknown[] = [];
    const gateway = edge(await target(), { onAccess: (entry) => log.push(entry) });
    await expect(gateway({} as Request)).rejects.toMatchObject({ code: "gateway/invalid-option" });
    await gateway(new Request(asked(), { signal: AbortSignal.abort() }));
    expect(reached).toHaveLength(before);
    expect(log).toMatchObject([{ outcome: "client-left", status: 0 }]);
  });
});
