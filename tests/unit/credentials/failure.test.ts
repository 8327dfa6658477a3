// Tests how errors of credentials are read: status, Retry-After, kind and message.

import { runInNewContext } from "node:vm";
import {
  AggregateAuthenticationError,
  AuthenticationError,
  CredentialUnavailableError,
} from "@azure/identity";
import { describe, expect, test } from "vitest";
import { credentialFailure, summarize } from "../../../js/credentials/failure.js";
import { KeylessError } from "../../../js/errors/keyless-error.js";
import { httpError, unavailable } from "../../support/credential.js";

const AT = Date.parse("Wed, 21 Oct 2026 07:28:00 GMT");
const failureOf = (thrown: unknown) => credentialFailure(thrown, AT);

const coded = (code: string) => Object.assign(new Error(code), { code });

test.each([
  ["429", httpError(429), "credential/throttled", 429],
  ["500", httpError(500), "credential/server-error", 500],
  ["503", httpError(503), "credential/server-error", 503],
  ["400", httpError(400), "credential/refused", 400],
  ["401", httpError(401), "credential/refused", 401],
  ["404", httpError(404), "credential/refused", 404],
  [
    "a status in a cause",
    new Error("x", { cause: new Error("y", { cause: httpError(410) }) }),
    "credential/refused",
    410,
  ],
  ["a status of msal", Object.assign(new Error("x"), { status: 502 }), "credential/server-error", 502],
  [
    "a status that is a text",
    Object.assign(new Error("x"), { statusCode: "502" }),
    "credential/failed",
    undefined,
  ],
  ["a status that is none", Object.assign(new Error("x"), { status: 200 }), "credential/failed", undefined],
  ["refused", coded("ECONNREFUSED"), "credential/network", undefined],
  ["unknown host", coded("ENOTFOUND"), "credential/network", undefined],
  ["no DNS", coded("EAI_AGAIN"), "credential/network", undefined],
  [
    "undici",
    new TypeError("fetch failed", { cause: coded("UND_ERR_CONNECT_TIMEOUT") }),
    "credential/network",
    undefined,
  ],
  [
    "the pipeline",
    Object.assign(new Error("x"), { code: "REQUEST_SEND_ERROR" }),
    "credential/network",
    undefined,
  ],
  ["msal", Object.assign(new Error("x"), { errorCode: "network_error" }), "credential/network", undefined],
  ["another code", coded("E_OTHER"), "credential/failed", undefined],
  [
    "a code that is an object",
    Object.assign(new Error("x"), { code: Object.create(null) }),
    "credential/failed",
    undefined,
  ],
  ["unavailable", unavailable(), "credential/unavailable", undefined],
  ["no error at all", undefined, "credential/failed", undefined],
  ["a text", "no way", "credential/failed", undefined],
])("%s", (_name, thrown, code, status) => {
  const { error, status: found, unavailable: none } = failureOf(thrown);
  expect(error).toBeInstanceOf(KeylessError);
  expect([error.code, error.status, found]).toEqual([code, status, status]);
  expect(none).toBe(code === "credential/unavailable");
  expect(error.cause).toBe(thrown);
  expect(error.hint).toBeTruthy();
});

describe("errors of @azure/identity", () => {
  test("a chain in which no credential can be used", () => {
    const thrown = new AggregateAuthenticationError(
      [
        new CredentialUnavailableError("EnvironmentCredential is unavailable"),
        new CredentialUnavailableError("Please run 'az login'"),
      ],
      "ChainedTokenCredential authentication failed.",
    );
    const { error, unavailable: none } = failureOf(thrown);
    expect(none).toBe(true);
    expect(error.code).toBe("credential/unavailable");
    expect(error.message).toContain("EnvironmentCredential is unavailable Please run 'az login'");
    expect(error.message).not.toContain("ChainedTokenCredential authentication failed");
  });

  test("a chain in which one was refused", () => {
    const refused = new AuthenticationError(400, {
      error: "invalid_client",
      error_description: "AADSTS7000215: Invalid client secret",
    });
    const thrown = new AggregateAuthenticationError([new CredentialUnavailableError("x"), refused]);
    expect(failureOf(thrown)).toMatchObject({ status: 400, error: { code: "credential/refused" } });
  });

  test("a lost connection is no missing credential", () => {
    const thrown = new CredentialUnavailableError("x");
    Object.assign(thrown, { cause: coded("ECONNRESET") });
    expect(failureOf(thrown)).toMatchObject({
      unavailable: false,
      error: { code: "credential/network" },
    });
  });
});

test.each([
  ["Headers", httpError(429, { "Retry-After": "7" }), 7_000],
  ["plain headers", Object.assign(new Error("x"), { response: { headers: { "retry-after": "7" } } }), 7_000],
  ["plain headers, as sent", Object.assign(new Error("x"), { headers: { "Retry-After": "7" } }), 7_000],
  ["a property", Object.assign(new Error("x"), { retryAfterInMs: 7 }), 7],
  ["in a cause", new Error("x", { cause: httpError(503, { "retry-after": "1.5" }) }), 1_500],
  ["a date", httpError(429, { "retry-after": "Wed, 21 Oct 2026 07:28:09 GMT" }), 9_000],
  ["a date that has passed", httpError(429, { "retry-after": "Wed, 21 Oct 2026 07:00:00 GMT" }), 0],
  ["a date in an old form", httpError(429, { "retry-after": "Wed Oct 21 07:28:05 2026" }), 5_000],
  [
    "a date by the answer's own clock",
    httpError(503, { date: "Wed, 21 Oct 2026 08:00:00 GMT", "retry-after": "Wed, 21 Oct 2026 08:00:02 GMT" }),
    2_000,
  ],
  ["negative", httpError(429, { "retry-after": "-5" }), undefined],
  ["no number", httpError(429, { "retry-after": "soon" }), undefined],
  ["none", httpError(429), undefined],
])("Retry-After: %s", (_name, thrown, expected) => {
  expect(failureOf(thrown).retryAfterMs).toBe(expected);
});

describe("an unreadable response, as @azure/identity reports it", () => {
  const because = (cause: Error) =>
    Object.assign(new CredentialUnavailableError(`ManagedIdentityCredential: ${cause.message}`), { cause });

  test("MSAL stumbles over it: that is no missing credential", () => {
    const { error, unavailable } = failureOf(because(new TypeError("scopeString.split is not a function")));
    expect(error).toMatchObject({
      code: "credential/failed",
      message: expect.stringContaining("response cannot be parsed: "),
      hint: expect.stringContaining("proxy"),
    });
    expect(unavailable).toBe(false);
  });

  test("MSAL calls it a network error: that may be either", () => {
    const cause = Object.assign(new Error("network_error: See ..."), { errorCode: "network_error" });
    const { error } = failureOf(because(cause));
    expect(error).toMatchObject({
      code: "credential/network",
      message: expect.stringContaining("cannot be reached, or its response cannot be parsed"),
      hint: expect.stringMatching(/az login.*proxy/s),
    });
  });
});

test("the text is short, says each thing once, and holds no secret", () => {
  const lines = ["CredentialUnavailableError: one", "Error: one", "", "two", "three", "four"];
  expect(failureOf(new Error(lines.join("\n"))).error.message).toBe(
    "The credential returned no token: one two three",
  );
  const long = failureOf(new Error("x".repeat(10_000))).error.message;
  expect(long.length).toBeLessThan(450);
  const secret = "planted".repeat(20);
  const cut = failureOf(new Error(`${"x ".repeat(180)}{"access_token":"${secret}"}`)).error.message;
  expect(cut).not.toContain("planted");
});

test("an error of another realm is an error", () => {
  const foreign = runInNewContext(`Object.assign(new Error("from afar"), { statusCode: 429 })`);
  expect(foreign).not.toBeInstanceOf(Error);
  expect(failureOf(foreign).error.message).toBe("The identity endpoint throttles requests: from afar");
});

test("a message that is no text, a loop of causes, a chain without end", () => {
  expect(failureOf({ message: { text: "x" } }).error.message).toBe("The credential returned no token");
  const loop: Error & { errors?: unknown[] } = new Error("loop");
  loop.cause = loop;
  loop.errors = Array.from({ length: 50 }, () => loop);
  expect(failureOf(loop).error.code).toBe("credential/failed");
  let deep = httpError(400);
  for (let n = 0; n < 100_000; n += 1) deep = new Error("x", { cause: deep });
  expect(failureOf(deep).error.code).toBe("credential/failed");
});

test("an error that throws when it is read", () => {
  const thrower = new Proxy(new Error("x"), {
    get: () => {
      throw new Error("unreadable");
    },
  });
  expect(failureOf(thrower)).toMatchObject({
    unavailable: false,
    error: { code: "credential/failed" },
  });
});

test("a KeylessError stays the same", () => {
  const own = new KeylessError("credential/not-installed", "text", { hint: "next", status: 503 });
  expect(failureOf(own)).toEqual({ error: own, unavailable: false, status: 503 });
  const summary = summarize(own);
  expect(summary).toEqual({ code: "credential/not-installed", message: "text", hint: "next", status: 503 });
  expect(Object.isFrozen(summary)).toBe(true);
});

test("a hint for a known message precedes the general advice", () => {
  const thrown = { message: "AADSTS7000215: Invalid client secret", statusCode: 401 };
  expect(failureOf(thrown).error).toMatchObject({
    code: "credential/refused",
    hint: expect.stringContaining("the secret's value, not its id"),
  });
});
