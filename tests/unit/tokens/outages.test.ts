// The end of a wait tells what the requests of the credential came to, although the credential itself
// has not failed yet.

import { once } from "node:events";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { createBearerTokenProvider, type TokenCredential } from "copilot-keyless";
import { createDirectCredential } from "copilot-keyless/direct";
import { FakeClock } from "copilot-keyless/testing";
import { afterAll, expect, test } from "vitest";
import { failure } from "../../support/credential.js";

const SCOPE = "https://ai.azure.com/.default";

/** Answers with the status of the path, and its `Retry-After` if it has one; `/silent` gets no answer. */
const server = createServer(({ url }, response) => {
  const [status, retryAfter] = (url?.slice(1) ?? "").split("-").map(Number);
  if (retryAfter) response.setHeader("retry-after", retryAfter);
  if (status) response.writeHead(status).end("{}");
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Sends a request. Resolves with its answer or error; for `/silent`, when the server has it. */
function request(path: string): Promise<unknown> {
  const arrived = path === "silent" ? once(server, "request") : undefined;
  const sent = get(`${path === "refused" ? "http://127.0.0.1:1" : address}/${path}`);
  const answered = once(sent, "response").then(
    ([response]) => response.resume(),
    (error: unknown) => error,
  );
  // The end of the server cuts the silent one.
  sent.on("error", () => {});
  return arrived ?? answered;
}

/** The error of a wait for a credential that never settles, after these requests. */
async function atDeadline(credential: TokenCredential, requests: () => Promise<unknown>) {
  const clock = new FakeClock();
  const waiting = failure(createBearerTokenProvider(credential, SCOPE, { clock })());
  await requests();
  await clock.advance(15_000);
  return waiting;
}

test.each([
  ["503", "credential/server-error"],
  ["429", "credential/throttled"],
  ["silent", "credential/network"],
  ["refused", "credential/network"],
  // No outage: the credential has an answer, and still does not settle.
  ["200", "token/timeout"],
  ["400", "token/timeout"],
])("a credential that goes on after %s: %s", async (path, code) => {
  let sent: Promise<unknown> | undefined;
  const getToken = () => {
    sent = request(path);
    return new Promise<never>(() => {});
  };
  const error = await atDeadline({ getToken }, async () => sent);
  expect(error).toMatchObject({ code, retryable: true });
  expect(error).toHaveProperty("message", expect.stringContaining("within 15 s"));
  if (code !== "token/timeout") expect(error).toHaveProperty("cause.code", code);
});

test("the end of a wait tells what is left of the endpoint's Retry-After", async () => {
  const clock = new FakeClock();
  let sent: Promise<unknown> | undefined;
  // As @azure/identity: waits in silence.
  const getToken = () => {
    sent = request("429-30");
    return new Promise<never>(() => {});
  };
  const provider = createBearerTokenProvider({ getToken }, SCOPE, { clock });
  const waiting = failure(provider());
  await sent;
  // The request was observed at its answer's end.
  await new Promise((next) => setTimeout(next, 50));
  await clock.advance(15_000);
  expect(await waiting).toMatchObject({ code: "credential/throttled", retryAfterMs: 15_000 });
  expect(provider.status.nextAttemptOn).toBe(clock.now() + 15_000);
  expect(await failure(provider())).toMatchObject({ code: "credential/throttled", retryAfterMs: 15_000 });
});

test("requests of the program itself do not count", async () => {
  const hanging: TokenCredential = { getToken: () => new Promise(() => {}) };
  expect(await atDeadline(hanging, () => request("503"))).toMatchObject({ code: "token/timeout" });
});

test("the direct credential tells a silent endpoint", async () => {
  const env = { IDENTITY_ENDPOINT: `${address}/silent`, IDENTITY_HEADER: "0123456789abcdef" };
  const arrived = once(server, "request");
  const error = await atDeadline(createDirectCredential({ env, source: "app-service" }), () => arrived);
  expect(error).toMatchObject({
    code: "credential/network",
    message: expect.stringContaining(`no answer from ${address.slice(7)}`),
  });
});

test("the direct credential tells how long it waited for a silent endpoint", async () => {
  const env = { IDENTITY_ENDPOINT: `${address}/silent`, IDENTITY_HEADER: "0123456789abcdef" };
  const credential = createDirectCredential({ env, source: "app-service", timeoutMs: 300 });
  expect(await failure(createBearerTokenProvider(credential, SCOPE)())).toMatchObject({
    code: "credential/network",
    message: expect.stringMatching(/no response within \d+ ms$/),
  });
});

test("a refusal tells how long no token is acquired", async () => {
  const clock = new FakeClock();
  const lost = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  const provider = createBearerTokenProvider({ getToken: () => Promise.reject(lost) }, SCOPE, { clock });
  expect(await failure(provider())).toMatchObject({ code: "credential/network", retryAfterMs: 1_000 });
  await clock.advance(400);
  expect(await failure(provider())).toMatchObject({ code: "credential/network", retryAfterMs: 600 });
});
