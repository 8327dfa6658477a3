// Tests the token provider with a fake clock: no test sleeps, and tests settle every promise
// themselves.

import { inspect } from "node:util";
import {
  type AccessToken,
  createBearerTokenProvider,
  KeylessError,
  type TokenEvent,
  type TokenProvider,
  type TokenProviderOptions,
} from "copilot-keyless";
import { FakeClock } from "copilot-keyless/testing";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { START, settle } from "../../../js/testing/fake-clock.js";
import { FakeCredential, failure, healthy, httpError, token, unavailable } from "../../support/credential.js";
import policy from "../../tables/policy.json" with { type: "json" };

const SCOPE = "https://ai.azure.com/.default";
const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

let clock: FakeClock;
let events: TokenEvent[];

beforeEach(() => {
  clock = new FakeClock();
  events = [];
});

function provide(credential: FakeCredential, options: TokenProviderOptions = {}): TokenProvider {
  return createBearerTokenProvider(credential, SCOPE, {
    clock,
    onEvent: (event) => events.push(event),
    ...options,
  });
}

/** Creates a provider that has its first token. */
async function warm(credential: FakeCredential, options: TokenProviderOptions = {}): Promise<TokenProvider> {
  const provider = provide(credential, options);
  await provider();
  return provider;
}

const types = () => events.map((event) => event.type);

describe("cold", () => {
  test("a thousand callers share one acquisition", async () => {
    const credential = new FakeCredential(() => "hang");
    const provider = provide(credential);
    const callers = Array.from({ length: 1_000 }, () => provider());
    expect(credential.calls).toHaveLength(1);
    credential.call(1).resolve(token(1, clock, HOUR));
    expect(new Set(await Promise.all(callers))).toEqual(new Set(["token-1"]));
    expect(await provider()).toBe("token-1");
    expect(credential.calls).toHaveLength(1);
  });

  test("the credential is asked for the scope and the tenant, and can be aborted", async () => {
    const credential = healthy(clock);
    await warm(credential, { tenantId: "contoso" });
    const { scopes, options } = credential.call(1);
    expect(scopes).toBe(SCOPE);
    expect(options).toMatchObject({ tenantId: "contoso", abortSignal: { aborted: false } });
    const scopesGiven = [SCOPE, "offline_access"];
    const listed = createBearerTokenProvider(credential, scopesGiven, { clock });
    scopesGiven.pop();
    await listed();
    expect(credential.call(2).scopes).toEqual([SCOPE, "offline_access"]);
    expect(credential.call(2).options).not.toHaveProperty("tenantId");
  });

  test("it serves as the callback of the Copilot SDK: arguments are ignored", async () => {
    const provider = provide(healthy(clock));
    const config = { bearerTokenProvider: provider };
    expect(await config.bearerTokenProvider({ providerName: "p", sessionId: "s" })).toBe("token-1");
    expect(await provider(null)).toBe("token-1");
    expect(await provider({ abortSignal: AbortSignal.abort() })).toBe("token-1");
  });

  test("a credential that throws at once or answers without a promise", async () => {
    const thrower = new FakeCredential(() => null);
    thrower.getToken = () => {
      throw new Error("at once");
    };
    expect(await failure(provide(thrower)())).toMatchObject({
      code: "credential/failed",
      message: "The credential returned no token: at once",
    });
    const plain = new FakeCredential(() => null);
    plain.getToken = () => token(1, clock, HOUR) as unknown as Promise<AccessToken>;
    expect(await provide(plain)()).toBe("token-1");
    const thenable = new FakeCredential(() => null);
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested.
    thenable.getToken = () => ({ then: (yes: (t: unknown) => void) => yes(token(2, clock, HOUR)) }) as never;
    expect(await provide(thenable)()).toBe("token-2");
  });
});

describe("fresh", () => {
  test("the hot path returns the same promise without a request", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    await provider();
    const first = provider();
    await clock.advance(54 * MINUTE);
    expect(provider()).toBe(first);
    expect(credential.calls).toHaveLength(1);
    expect(clock.timers.size).toBe(0);
    expect(await provider.getToken()).toEqual({ token: "token-1", expiresOnTimestamp: START + HOUR });
  });

  test("the AccessToken is the caller's own, and in milliseconds whatever the credential gave", async () => {
    const seconds = (START + HOUR) / 1_000;
    const credential = new FakeCredential(() => ({ token: "t", expiresOnTimestamp: seconds }));
    const provider = provide(credential);
    const given = await provider.getToken();
    expect(given.expiresOnTimestamp).toBe(START + HOUR);
    given.token = "changed";
    expect(await provider()).toBe("t");
    expect(events.find((event) => event.type === "refresh-succeeded")).toMatchObject({
      expiresOn: START + HOUR,
    });
  });

  test("an AccessToken that is an object of a class", async () => {
    class Computed {
      get token() {
        return "computed";
      }
      get expiresOnTimestamp() {
        return START + HOUR;
      }
    }
    const provider = provide(new FakeCredential(() => new Computed()));
    expect(await provider.getToken()).toEqual({ token: "computed", expiresOnTimestamp: START + HOUR });
  });
});

describe("due", () => {
  test("served at once, with one refresh in the background", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    credential.answer = () => "hang";
    await clock.advance(56 * MINUTE);
    for (let n = 0; n < 100; n += 1) expect(await provider()).toBe("token-1");
    expect(credential.calls).toHaveLength(2);
    expect(provider.status).toMatchObject({ state: "due", refreshing: true });
    credential.call(2).resolve(token(2, clock, HOUR));
    await settle();
    expect(await provider()).toBe("token-2");
    expect(provider.status).toMatchObject({ state: "fresh", refreshing: false, consecutiveFailures: 0 });
    expect(clock.timers.size).toBe(0);
  });

  test("failures are reported as events only, and retried after 30 s doubling to 300 s", async () => {
    const credential = healthy(clock, 24 * HOUR);
    const provider = await warm(credential);
    credential.answer = () => new Error("identity endpoint is away");
    await clock.advance(12 * HOUR);
    const attempts: number[] = [];
    for (let second = 0; second < 1_200; second += 1) {
      const before = credential.calls.length;
      expect(await provider()).toBe("token-1");
      await settle();
      if (credential.calls.length > before) attempts.push(second);
      await clock.advance(SECOND);
    }
    expect(attempts).toEqual([0, 30, 90, 210, 450, 750, 1_050]);
    expect(provider.status).toMatchObject({
      state: "due",
      consecutiveFailures: 7,
      nextAttemptOn: START + 12 * HOUR + 1_350 * SECOND,
      lastError: { code: "credential/failed", message: expect.stringContaining("is away") },
    });
    expect(types()).toContain("stale-served");
    expect(events.findLast((event) => event.type === "refresh-failed")).toMatchObject({
      nextAttemptOn: START + 12 * HOUR + 1_350 * SECOND,
    });
    credential.answer = (n) => token(n, clock, 24 * HOUR);
    await clock.advance(200 * SECOND);
    await provider();
    await settle();
    expect(provider.status).toEqual({
      state: "fresh",
      expiresOn: clock.now() + 24 * HOUR,
      refreshOn: clock.now() + 12 * HOUR,
      refreshing: false,
      consecutiveFailures: 0,
    });
  });

  test("the same token again is no failure, and puts the next attempt off", async () => {
    const expiresOnTimestamp = START + HOUR;
    const credential = new FakeCredential(() => ({ token: "cached", expiresOnTimestamp }));
    const provider = await warm(credential);
    await clock.advance(56 * MINUTE);
    await provider();
    await settle();
    expect(types()).toEqual(["refresh-started", "refresh-succeeded", "refresh-started", "refresh-unchanged"]);
    expect(provider.status).toMatchObject({ state: "due", consecutiveFailures: 0 });
    await clock.advance(29 * SECOND);
    await provider();
    expect(credential.calls).toHaveLength(2);
    await clock.advance(SECOND);
    await provider();
    expect(credential.calls).toHaveLength(3);
  });

  test("a hanging refresh delays no caller, is aborted after 30 s and retried", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    credential.answer = () => "hang";
    await clock.advance(56 * MINUTE);
    expect(await provider()).toBe("token-1");
    expect(clock.activeTimers).toBe(0);
    await clock.advance(29_999);
    expect(credential.call(2).options.abortSignal.aborted).toBe(false);
    await clock.advance(1);
    expect(credential.call(2).options.abortSignal.aborted).toBe(true);
    expect(events.at(-1)).toMatchObject({
      type: "refresh-abandoned",
      error: { code: "token/timeout", message: "The credential did not answer within 30 s" },
    });
    expect(await provider()).toBe("token-1");
    expect(credential.calls).toHaveLength(2);
    await clock.advance(30 * SECOND);
    expect(await provider()).toBe("token-1");
    expect(credential.calls).toHaveLength(3);
  });

  test("a credential that throws at once leaves no refresh behind", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential, { policy: { retryMinMs: 1_000, retryMaxMs: 1_000 } });
    let asked = 0;
    credential.getToken = () => {
      asked += 1;
      throw new Error("at once");
    };
    await clock.advance(56 * MINUTE);
    await provider();
    await settle();
    expect(provider.status).toMatchObject({ refreshing: false, consecutiveFailures: 1 });
    await clock.advance(SECOND);
    await provider();
    expect(asked).toBe(2);
    await settle();
    expect(clock.timers.size).toBe(0);
  });
});

describe("expired", () => {
  test("callers wait for one acquisition and never see the old token", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    credential.answer = () => "hang";
    await clock.advance(HOUR - 10 * SECOND);
    const callers = [provider(), provider(), provider.getToken().then((given) => given.token)];
    expect(credential.calls).toHaveLength(2);
    expect(provider.status).toMatchObject({ state: "expired", refreshing: true });
    credential.call(2).resolve(token(2, clock, HOUR));
    expect(await Promise.all(callers)).toEqual(["token-2", "token-2", "token-2"]);
  });

  test("callers join the refresh that the token did not outlive", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    credential.answer = () => "hang";
    await clock.advance(HOUR - 20 * SECOND);
    await provider();
    expect(clock.activeTimers).toBe(0);
    await clock.advance(10 * SECOND);
    const waiting = failure(provider());
    expect(clock.activeTimers).toBe(1);
    expect(credential.calls).toHaveLength(2);
    await clock.advance(15 * SECOND);
    expect(await waiting).toMatchObject({ code: "token/timeout" });
    expect(clock.timers.size).toBe(0);
  });

  test("all waiting callers share one error; an unknown one is reported at once and retried a second later", async () => {
    const credential = new FakeCredential(() => new Error("no idea"));
    const provider = provide(credential);
    const errors = await Promise.all([1, 2, 3].map(() => failure(provider())));
    expect(new Set(errors).size).toBe(1);
    expect(errors[0]).toBeInstanceOf(KeylessError);
    expect(errors[0]).toMatchObject({ code: "credential/failed", cause: { message: "no idea" } });
    expect(credential.calls).toHaveLength(1);
    await clock.advance(SECOND);
    await failure(provider());
    expect(credential.calls).toHaveLength(2);
    expect(provider.status).toMatchObject({ state: "empty", consecutiveFailures: 2, refreshing: false });
  });

  test.each([404, 408, 410, 429, 500, 503])("HTTP %i is tried again within the wait", async (status) => {
    const credential = new FakeCredential((n) => (n < 4 ? httpError(status) : token(n, clock, HOUR)));
    const provider = provide(credential);
    const waiting = provider();
    await clock.advance(999);
    expect(credential.calls).toHaveLength(1);
    await clock.advance(1);
    expect(credential.calls).toHaveLength(2);
    await clock.advance(6 * SECOND);
    expect(await waiting).toBe("token-4");
    const failed = events.filter((event) => event.type === "refresh-failed");
    expect(failed.map((event) => event.willRetryInMs)).toEqual([1_000, 2_000, 4_000]);
    expect(events.filter((event) => event.type === "refresh-started").map((e) => e.attempt)).toEqual([
      1, 2, 3, 4,
    ]);
    expect(clock.timers.size).toBe(0);
  });

  test("a failure that cannot be retried before the deadline is reported at once", async () => {
    const credential = new FakeCredential(() => httpError(503));
    const waiting = failure(provide(credential)());
    await clock.advance(15 * SECOND);
    expect(await waiting).toMatchObject({ code: "credential/server-error", status: 503 });
    expect(clock.now() - START).toBeLessThanOrEqual(15 * SECOND);
    expect(credential.calls).toHaveLength(4);
    expect(clock.timers.size).toBe(0);
  });

  test("Retry-After is a floor, within the wait and beyond it", async () => {
    const credential = new FakeCredential(() => httpError(429, { "retry-after": "5" }));
    const provider = provide(credential);
    const waiting = failure(provider());
    await clock.advance(4_999);
    expect(credential.calls).toHaveLength(1);
    await clock.advance(1);
    expect(credential.calls).toHaveLength(2);
    await clock.advance(5 * SECOND);
    expect(await waiting).toMatchObject({ code: "credential/throttled", status: 429 });
    expect(await failure(provider())).toMatchObject({ code: "credential/throttled", status: 429 });
    expect(credential.calls).toHaveLength(3);
    await clock.advance(5 * SECOND);
    credential.answer = (n) => token(n, clock, HOUR);
    expect(await provider()).toMatch(/^token-/);
  });

  test.each([
    ["HTTP 400", () => httpError(400), "credential/refused"],
    ["HTTP 403", () => httpError(403), "credential/refused"],
    ["no credential", unavailable, "credential/unavailable"],
  ])("%s is remembered for 10 s", async (_name, error, code) => {
    const credential = new FakeCredential(error);
    const provider = provide(credential);
    for (let n = 0; n < 6; n += 1) {
      expect(await failure(provider())).toMatchObject({ code });
      await clock.advance(SECOND);
    }
    expect(credential.calls).toHaveLength(1);
    await clock.advance(4 * SECOND);
    await failure(provider());
    expect(credential.calls).toHaveLength(2);
  });

  test("a credential that hangs is told of after 15 s, and aborted", async () => {
    const credential = new FakeCredential(() => "hang");
    const provider = provide(credential);
    const callers = [failure(provider()), failure(provider())];
    expect(clock.activeTimers).toBe(1);
    await clock.advance(15 * SECOND);
    expect(await callers[0]).toMatchObject({
      code: "token/timeout",
      message: "The credential did not answer within 15 s",
    });
    expect(await callers[1]).toBe(await callers[0]);
    expect(credential.call(1).options.abortSignal.aborted).toBe(true);
    expect(clock.timers.size).toBe(0);
  });

  test("a credential that fails and then hangs: the error has its message and a fix", async () => {
    const credential = new FakeCredential((n) => (n === 1 ? httpError(503) : "hang"));
    const provider = provide(credential);
    const waiting = failure(provider());
    await clock.advance(15 * SECOND);
    expect(await waiting).toMatchObject({
      code: "credential/server-error",
      retryable: true,
      status: 503,
      message: expect.stringMatching(/^No token within 15 s\. The identity endpoint failed with HTTP 503/),
      hint: expect.stringContaining("identity service"),
      cause: { code: "credential/server-error" },
    });
    expect(credential.calls).toHaveLength(2);
  });

  test("a wait longer than Node's timers can be", async () => {
    const credential = new FakeCredential(() => "hang");
    const provider = provide(credential, { policy: { waitTimeoutMs: 30 * 24 * HOUR } });
    const waiting = provider();
    await clock.advance(MINUTE);
    credential.call(1).resolve(token(1, clock, HOUR));
    expect(await waiting).toBe("token-1");
  });
});

describe("late answers", () => {
  test("serve callers of the next acquisition, and leave no timers", async () => {
    const credential = new FakeCredential(() => "hang");
    const provider = provide(credential);
    const first = failure(provider());
    await clock.advance(15 * SECOND);
    expect(await first).toMatchObject({ code: "token/timeout", retryAfterMs: SECOND });
    const second = provider();
    expect(credential.calls).toHaveLength(2);
    credential.call(1).resolve(token(1, clock, HOUR));
    expect(await second).toBe("token-1");
    expect(await provider()).toBe("token-1");
    expect(clock.activeTimers).toBe(0);
    credential.call(2).resolve(token(2, clock, 2 * HOUR));
    await settle();
    expect(await provider()).toBe("token-2");
    expect(clock.timers.size).toBe(0);
  });

  test("do not serve callers who join the next acquisition later", async () => {
    const credential = new FakeCredential(() => "hang");
    const provider = provide(credential);
    const first = failure(provider());
    await clock.advance(15 * SECOND);
    await first;
    const second = provider();
    credential.call(1).resolve(token(1, clock, HOUR));
    expect(await second).toBe("token-1");
    expect(provider.invalidate("token-1")).toBe(true);
    const third = provider();
    expect(clock.activeTimers).toBe(1);
    expect(credential.calls).toHaveLength(2);
    credential.call(2).resolve(token(2, clock, HOUR));
    expect(await third).toBe("token-2");
  });

  test("are dropped when the cached token is newer", async () => {
    const credential = new FakeCredential((n) => (n === 1 ? "hang" : token(n, clock, HOUR)));
    const provider = provide(credential);
    const first = failure(provider());
    await clock.advance(15 * SECOND);
    await first;
    expect(await provider()).toBe("token-2");
    credential.call(1).resolve({ token: "old", expiresOnTimestamp: START + HOUR });
    await settle();
    expect(await provider()).toBe("token-2");
  });

  test("failures are dropped", async () => {
    const credential = new FakeCredential((n) => (n === 1 ? "hang" : token(n, clock, HOUR)));
    const provider = provide(credential);
    const first = failure(provider());
    await clock.advance(15 * SECOND);
    await first;
    expect(await provider()).toBe("token-2");
    const before = events.length;
    credential.call(1).reject(new Error("aborted"));
    await settle();
    expect(events).toHaveLength(before);
    expect(provider.status).toMatchObject({ state: "fresh", consecutiveFailures: 0 });
  });

  test("a rejected token that comes late is not taken for a new one later", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential, { policy: { invalidateIntervalMs: 0 } });
    credential.answer = () => "hang";
    expect(provider.invalidate("token-1")).toBe(true);
    const waiting = failure(provider());
    await clock.advance(15 * SECOND);
    await waiting;
    const again = failure(provider());
    credential.call(2).resolve(token(1, clock, HOUR));
    await settle();
    credential.call(3).resolve(token(1, clock, HOUR));
    expect(await again).toMatchObject({ code: "token/rejected-again" });
  });

  test("after close they change nothing", async () => {
    const credential = new FakeCredential(() => "hang");
    const provider = provide(credential);
    const waiting = failure(provider());
    provider.close();
    expect(await waiting).toMatchObject({ code: "token/closed" });
    expect(credential.call(1).options.abortSignal.aborted).toBe(true);
    credential.call(1).resolve(token(1, clock, HOUR));
    await settle();
    expect(provider.status).toEqual({ state: "closed", refreshing: false, consecutiveFailures: 0 });
    expect(types()).toEqual(["refresh-started", "closed"]);
    expect(clock.timers.size).toBe(0);
  });
});

describe("a caller's abort", () => {
  test("detaches that caller alone, the first one too", async () => {
    const credential = new FakeCredential(() => "hang");
    const provider = provide(credential);
    const leader = new AbortController();
    const first = failure(provider.getToken({ abortSignal: leader.signal }));
    const second = provider.getToken();
    leader.abort();
    expect(await first).toMatchObject({ name: "AbortError" });
    expect(credential.call(1).options.abortSignal.aborted).toBe(false);
    credential.call(1).resolve(token(1, clock, HOUR));
    expect((await second).token).toBe("token-1");
  });

  test("a signal that was aborted before starts nothing", async () => {
    const credential = healthy(clock);
    const error = await failure(provide(credential).getToken({ abortSignal: AbortSignal.abort() }));
    expect(error).toMatchObject({ name: "AbortError" });
    expect(credential.calls).toHaveLength(0);
  });

  test("leaves no listener on the signal", async () => {
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, "addEventListener");
    const remove = vi.spyOn(signal, "removeEventListener");
    const provider = await warm(healthy(clock));
    for (let n = 0; n < 50; n += 1) await provider.getToken({ abortSignal: signal });
    await settle();
    expect(add).toHaveBeenCalledTimes(50);
    expect(remove.mock.calls).toEqual(add.mock.calls);
  });
});

describe("a claims challenge", () => {
  const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';

  test("causes one acquisition for all challenged callers", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    const rejectedToken = await provider.getToken();
    credential.answer = () => "hang";
    const challenged = Array.from({ length: 20 }, () => provider.getToken({ claims, rejectedToken }));
    const bystander = provider();
    expect(credential.calls).toHaveLength(2);
    expect(credential.call(2).options).toMatchObject({ claims, enableCae: true });
    credential.call(2).resolve(token(2, clock, HOUR));
    for (const one of await Promise.all(challenged)) expect(one.token).toBe("token-2");
    expect(await bystander).toBe("token-2");
    // A caller with a late 401 response.
    expect(await provider.getToken({ claims, rejectedToken })).toMatchObject({ token: "token-2" });
    expect(credential.calls).toHaveLength(2);
    expect(types().filter((type) => type === "challenged")).toHaveLength(1);
    expect(JSON.stringify(events)).not.toContain("acrs");
  });

  test("that repeats ends with an error about it, and the token stays", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    await provider.getToken({ claims, rejectedToken: "token-1" });
    for (const again of [claims, "{}"]) {
      const error = await failure(provider.getToken({ claims: again, rejectedToken: "Bearer token-2" }));
      expect(error).toMatchObject({ code: "token/claims-challenge", hint: /policy/ });
    }
    expect(await provider()).toBe("token-2");
    expect(credential.calls).toHaveLength(2);
    await clock.advance(30 * SECOND);
    expect(await provider.getToken({ claims, rejectedToken: "token-2" })).toMatchObject({ token: "token-3" });
  });

  test("is not met by a token that was refreshed without claims meanwhile", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    await clock.advance(57 * MINUTE);
    await provider();
    await settle();
    expect(await provider.getToken({ claims, rejectedToken: "token-1" })).toMatchObject({ token: "token-3" });
    expect(credential.call(2).options).not.toHaveProperty("claims");
    expect(credential.call(3).options).toMatchObject({ claims });
  });

  test("takes the place of a refresh under way, whose callers wait for the new one", async () => {
    const credential = new FakeCredential(() => "hang");
    const provider = provide(credential);
    const waiting = provider();
    const challenged = provider.getToken({ claims, rejectedToken: "of another time" });
    expect(credential.calls).toHaveLength(2);
    expect(credential.call(1).options.abortSignal.aborted).toBe(true);
    credential.call(1).resolve(token(1, clock, HOUR));
    await settle();
    credential.call(2).resolve(token(2, clock, HOUR));
    expect([await waiting, (await challenged).token, await provider()]).toEqual(Array(3).fill("token-2"));
    expect(events.find(({ type }) => type === "refresh-abandoned")).toMatchObject({
      error: { code: "token/claims-challenge" },
    });
  });

  test("follows at once when a token was invalidated", async () => {
    const provider = await warm(healthy(clock));
    provider.invalidate("token-1");
    await provider();
    expect(await provider.getToken({ claims, rejectedToken: "token-2" })).toMatchObject({ token: "token-3" });
  });

  test("with a credential that ignores claims is reported", async () => {
    const credential = new FakeCredential(() => ({ token: "cached", expiresOnTimestamp: START + HOUR }));
    const provider = await warm(credential);
    const error = await failure(provider.getToken({ claims, rejectedToken: "cached" }));
    expect(error).toMatchObject({ code: "token/claims-challenge", hint: /managed identities/ });
    expect(credential.calls).toHaveLength(2);
  });

  test("that the credential rejects is reported, and the next refresh has no claims", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    credential.answer = (n) => (n === 2 ? unavailable() : token(n, clock, HOUR));
    const told = { code: "credential/unavailable" };
    expect(await failure(provider.getToken({ claims, rejectedToken: "token-1" }))).toMatchObject(told);
    expect(await failure(provider.getToken({ claims, rejectedToken: "token-1" }))).toMatchObject(told);
    await clock.advance(11 * SECOND);
    expect(await provider()).toBe("token-3");
    expect(credential.call(3).options).not.toHaveProperty("claims");
  });

  test("enableCae is asked for every time, and is no other's cache", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential, { enableCae: true });
    expect(credential.call(1).options).toMatchObject({ enableCae: true });
    await warm(credential);
    expect(credential.call(2).options).not.toHaveProperty("enableCae");
    provider.close();
    expect(await failure(provider.getToken({ claims }))).toMatchObject({ code: "token/closed" });
  });
});

describe("invalidate", () => {
  test("discards the cached token if it is the rejected one", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    expect(provider.invalidate("token-0")).toBe(false);
    for (const odd of [null, 5, {}])
      expect(() => provider.invalidate(odd as unknown as string)).toThrow(/^rejectedToken must be a token/);
    expect(await provider()).toBe("token-1");
    expect(provider.invalidate("Bearer token-1")).toBe(true);
    expect(provider.status.state).toBe("empty");
    expect(provider.invalidate("token-1")).toBe(false);
    expect(await provider()).toBe("token-2");
    expect(types()).toEqual([
      "refresh-started",
      "refresh-succeeded",
      "invalidated",
      "refresh-started",
      "refresh-succeeded",
    ]);
  });

  test("at most once in 30 s, with a token or without", async () => {
    const provider = await warm(healthy(clock));
    expect(provider.invalidate()).toBe(true);
    expect(await provider()).toBe("token-2");
    expect(provider.invalidate("token-2")).toBe(false);
    expect(provider.invalidate()).toBe(false);
    await clock.advance(30 * SECOND);
    expect(provider.invalidate()).toBe(true);
  });

  test("reports a credential that returns the rejected token again, instead of looping", async () => {
    const credential = new FakeCredential(() => ({ token: "cached", expiresOnTimestamp: START + HOUR }));
    const provider = await warm(credential);
    expect(provider.invalidate("cached")).toBe(true);
    expect(await failure(provider())).toMatchObject({ code: "token/rejected-again" });
    for (let n = 0; n < 6; n += 1)
      expect(await failure(provider())).toMatchObject({ code: "token/rejected-again" });
    expect(credential.calls).toHaveLength(2);
    // The role may have been assigned meanwhile.
    await clock.advance(30 * SECOND);
    expect(await provider()).toBe("cached");
  });

  test("during a refresh: callers wait for it, and it may not bring the rejected token", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    credential.answer = () => "hang";
    await clock.advance(56 * MINUTE);
    await provider();
    expect(provider.invalidate("token-1")).toBe(true);
    const waiting = provider();
    expect(credential.calls).toHaveLength(2);
    credential.call(2).resolve(token(2, clock, HOUR));
    expect(await waiting).toBe("token-2");
  });
});

describe("clocks", () => {
  test("a clock set back never serves a dead token", async () => {
    const credential = new FakeCredential((n) => ({
      token: `token-${n}`,
      expiresOnTimestamp: START + n * HOUR,
    }));
    const provider = await warm(credential);
    clock.set(-2 * HOUR);
    expect(await provider()).toBe("token-1");
    await clock.advance(HOUR);
    expect(provider.status.state).toBe("expired");
    expect(await provider()).toBe("token-2");
  });

  test("nor keeps a new one out whose expiry was reckoned with the clock that was set back", async () => {
    const provider = await warm(healthy(clock));
    clock.set(-2 * HOUR);
    await clock.advance(HOUR);
    expect(await provider()).toBe("token-2");
  });

  test("a clock that is set back again and again, so that it hardly moves, does not keep a token alive", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    for (let minute = 0; minute < 59; minute += 1) {
      await clock.advance(MINUTE);
      clock.set(200 - MINUTE);
      await provider();
    }
    expect(credential.calls).toHaveLength(2);
    expect(await provider()).toBe("token-2");
  });

  test("the monotonic clock is read every 100 ms at the most, and the bound itself is not overlooked", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    // The first call gets the bounds, the second reads both clocks.
    await provider();
    await provider();
    const monotonic = vi.spyOn(clock, "monotonic");
    for (let call = 0; call < 99; call += 1) {
      await clock.advance(1);
      expect(await provider()).toBe("token-1");
    }
    expect(monotonic).not.toHaveBeenCalled();
    await clock.advance(55 * MINUTE - 150);
    expect(await provider()).toBe("token-1");
    expect(credential.calls).toHaveLength(1);
    await clock.advance(51);
    await provider();
    expect(credential.calls).toHaveLength(2);
  });

  test("a clock set forward refreshes early", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    clock.set(56 * MINUTE);
    expect(await provider()).toBe("token-1");
    expect(credential.calls).toHaveLength(2);
  });

  test("after sleep, a token that expired meanwhile is not returned", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    clock.suspend(2 * HOUR);
    expect(await provider()).toBe("token-2");
  });

  test("callers who wait while the clock is set forward wait for the next acquisition", async () => {
    const credential = new FakeCredential(() => "hang");
    const provider = provide(credential);
    const first = provider();
    await clock.advance(SECOND);
    clock.set(2 * HOUR);
    const second = provider();
    expect(credential.calls).toHaveLength(2);
    expect(credential.call(1).options.abortSignal.aborted).toBe(true);
    credential.call(2).resolve(token(2, clock, HOUR));
    expect(await Promise.all([first, second])).toEqual(["token-2", "token-2"]);
    expect(events.find((event) => event.type === "refresh-abandoned")).toMatchObject({
      error: { message: "The credential did not answer within 1 s" },
    });
    expect(clock.timers.size).toBe(0);
  });

  test("the duration of an acquisition does not follow a clock that is set", async () => {
    const credential = new FakeCredential(() => "hang");
    const provider = provide(credential);
    const waiting = provider();
    await clock.advance(2 * SECOND);
    clock.set(-HOUR);
    credential.call(1).resolve({ token: "token-1", expiresOnTimestamp: START + HOUR });
    await waiting;
    expect(events.at(-1)).toMatchObject({ type: "refresh-succeeded", durationMs: 2_000 });
  });

  test("the platform's clock is looked up at each call, since test runners replace it", async () => {
    vi.useFakeTimers();
    try {
      const credential = new FakeCredential((n) => ({
        token: `token-${n}`,
        expiresOnTimestamp: Date.now() + HOUR,
      }));
      const provider = createBearerTokenProvider(credential, SCOPE);
      expect(await provider()).toBe("token-1");
      vi.advanceTimersByTime(2 * HOUR);
      expect(await provider()).toBe("token-2");
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("the credential's result", () => {
  const SECRET = "planted-5f1c";
  const expiresOnTimestamp = START + HOUR;

  test.each(["Bearer abc.def", "bearer abc.def", " abc.def\n", "Bearer  abc.def "])(
    "%j is made fit",
    async (given) => {
      const provider = provide(new FakeCredential(() => ({ token: given, expiresOnTimestamp })));
      expect(await provider()).toBe("abc.def");
    },
  );

  test.each([
    ["nothing", null, "token/empty"],
    ["undefined", undefined, "token/empty"],
    ["an empty token", { token: "", expiresOnTimestamp }, "token/empty"],
    ["white space", { token: " \n", expiresOnTimestamp }, "token/empty"],
    ["Bearer and no more", { token: "Bearer ", expiresOnTimestamp }, "token/empty"],
    ["a line feed", { token: `${SECRET}\n${SECRET}`, expiresOnTimestamp }, "token/malformed"],
    ["a carriage return", { token: `${SECRET}\r\nX: y`, expiresOnTimestamp }, "token/malformed"],
    ["a space", { token: `${SECRET} ${SECRET}`, expiresOnTimestamp }, "token/malformed"],
    ["a control character", { token: `${SECRET}\u0000`, expiresOnTimestamp }, "token/malformed"],
    ["a letter of Latin 1", { token: `${SECRET}é`, expiresOnTimestamp }, "token/malformed"],
    ["a typographic quotation mark", { token: `“${SECRET}”`, expiresOnTimestamp }, "token/malformed"],
    ["a text in place of an AccessToken", SECRET, "token/malformed"],
    ["a number in place of an AccessToken", 42, "token/malformed"],
    ["a number as the token", { token: 42, expiresOnTimestamp }, "token/malformed"],
    ["no expiry", { token: SECRET }, "token/malformed"],
    ["an expiry that is a text", { token: SECRET, expiresOnTimestamp: "1700003600" }, "token/malformed"],
    ["an expiry that is a Date", { token: SECRET, expiresOnTimestamp: new Date(0) }, "token/malformed"],
    ["an expiry that is a bigint", { token: SECRET, expiresOnTimestamp: 5n }, "token/malformed"],
    ["an expiry that is NaN", { token: SECRET, expiresOnTimestamp: Number.NaN }, "expiry/unreadable"],
    ["an expiry of zero", { token: SECRET, expiresOnTimestamp: 0 }, "expiry/unreadable"],
    ["an expiry without end", { token: SECRET, expiresOnTimestamp: Infinity }, "expiry/unreadable"],
    [
      "an expiry in microseconds",
      { token: SECRET, expiresOnTimestamp: expiresOnTimestamp * 1e3 },
      "expiry/too-far-ahead",
    ],
    ["an expiry in the past", { token: SECRET, expiresOnTimestamp: START - 1 }, "expiry/already-expired"],
  ])("%s is a clear error", async (_name, given, code) => {
    const provider = provide(new FakeCredential(() => given));
    const error = await failure(provider());
    expect(error).toBeInstanceOf(KeylessError);
    expect(error).toMatchObject({ code, hint: expect.any(String) });
    for (const shown of [inspect(error, { depth: 10 }), JSON.stringify([error, provider.status, events])])
      expect(shown).not.toContain(SECRET);
    expect(provider.status).toMatchObject({ state: "empty", refreshing: false, consecutiveFailures: 1 });
  });

  test("a token that dies on the way is not handed out", async () => {
    const credential = new FakeCredential(() => "hang");
    const waiting = failure(provide(credential)());
    await clock.advance(10 * SECOND);
    credential.call(1).resolve({ token: "short", expiresOnTimestamp: START + 5 * SECOND });
    expect(await waiting).toMatchObject({ code: "token/not-renewed" });
  });

  test.each([null, "soon", 5n, Number.NaN, {}])("advice on the refresh of %s is ignored", async (advice) => {
    const provider = provide(
      new FakeCredential(() => ({ token: "t", expiresOnTimestamp, refreshAfterTimestamp: advice })),
    );
    expect(await provider()).toBe("t");
    expect(provider.status.refreshOn).toBe(START + 55 * MINUTE);
  });

  test("callers get an answer even if reading the error throws", async () => {
    const evil = Object.defineProperty(new Error("x"), "cause", {
      get: () => {
        throw new Error("unreadable");
      },
    });
    expect(await failure(provide(new FakeCredential(() => evil))())).toMatchObject({
      code: "credential/failed",
    });
  });
});

describe("keepFresh", () => {
  test("refreshes without calls, on timers that do not keep the process alive", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential, { keepFresh: true });
    expect([...clock.timers].map((timer) => timer.ms)).toEqual([55 * MINUTE]);
    expect(clock.activeTimers).toBe(0);
    await clock.advance(10 * HOUR);
    expect(credential.calls.length).toBe(11);
    expect(clock.activeTimers).toBe(0);
    provider.close();
    expect(clock.timers.size).toBe(0);
    await clock.advance(10 * HOUR);
    expect(credential.calls.length).toBe(11);
  });

  test("does not keep at it while the credential fails", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential, { keepFresh: true });
    credential.answer = () => new Error("away");
    await clock.advance(13 * HOUR);
    expect(credential.calls.length).toBeGreaterThan(100);
    expect(credential.calls.length).toBeLessThan(200);
    credential.answer = (n) => token(n, clock, HOUR);
    await clock.advance(5 * MINUTE);
    expect(provider.status.state).toBe("fresh");
  });

  test("a token that lives longer than a timer can run is watched in parts", async () => {
    const credential = healthy(clock, 300 * 24 * HOUR);
    await warm(credential, { keepFresh: true, policy: { maxLifetimeMs: 365 * 24 * HOUR } });
    expect([...clock.timers].map((timer) => timer.ms)).toEqual([2 ** 31 - 1]);
    await clock.advance(149 * 24 * HOUR);
    expect(credential.calls).toHaveLength(1);
    expect(clock.timers.size).toBe(1);
    await clock.advance(2 * 24 * HOUR);
    expect(credential.calls).toHaveLength(2);
  });

  test("goes on after a hang and after an invalidation", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential, { keepFresh: true });
    credential.answer = () => "hang";
    await clock.advance(55 * MINUTE);
    expect(credential.calls).toHaveLength(2);
    credential.answer = (n) => token(n, clock, HOUR);
    await clock.advance(MINUTE);
    expect(credential.calls).toHaveLength(3);
    expect(provider.status.state).toBe("fresh");
    provider.invalidate();
    expect(await provider()).toBe("token-4");
    await clock.advance(56 * MINUTE);
    expect(credential.calls).toHaveLength(5);
  });

  test("ends with the last provider that asked for it", async () => {
    const credential = healthy(clock);
    const plain = await warm(credential);
    expect(clock.timers.size).toBe(0);
    const keeping = [provide(credential, { keepFresh: true }), provide(credential, { keepFresh: true })];
    expect(clock.timers.size).toBe(1);
    keeping[0]?.close();
    expect(clock.timers.size).toBe(1);
    keeping[1]?.close();
    keeping[1]?.close();
    expect(clock.timers.size).toBe(0);
    expect(await plain()).toBe("token-1");
  });
});

describe("sharing", () => {
  test("the same credential, scope, tenant, policy and clock share one cache", async () => {
    const credential = healthy(clock);
    const tenant = { tenantId: "contoso", policy: { jitterMs: 5, retryMinMs: 7 } };
    const turned = { tenantId: "contoso", policy: { retryMinMs: 7, jitterMs: 5 } };
    const providers = [provide(credential, tenant), provide(credential, turned)];
    providers.push(createBearerTokenProvider(credential, [SCOPE], { clock, ...tenant }));
    expect(await Promise.all(providers.map((one) => one()))).toEqual(["token-1", "token-1", "token-1"]);
    expect(credential.calls).toHaveLength(1);
  });

  test("different ones do not", async () => {
    const credential = healthy(clock);
    const providers = [
      provide(credential),
      createBearerTokenProvider(credential, "https://cognitiveservices.azure.com/.default", { clock }),
      createBearerTokenProvider(credential, [SCOPE, "other"], { clock }),
      provide(credential, { tenantId: "contoso" }),
      provide(credential, { policy: { jitterMs: 5 } }),
      provide(credential, { clock: new FakeClock() }),
      provide(healthy(clock)),
    ];
    for (const provider of providers) await provider();
    expect(credential.calls).toHaveLength(6);
  });

  test("closing one of two keeps the other; after the last one all begins anew", async () => {
    const credential = new FakeCredential(() => "hang");
    const [one, other] = [provide(credential), provide(credential)];
    const waiting = other();
    one.close();
    expect(await failure(one())).toMatchObject({ code: "token/closed" });
    expect(await failure(one.getToken())).toMatchObject({ code: "token/closed" });
    expect(one.invalidate()).toBe(false);
    credential.call(1).resolve(token(1, clock, HOUR));
    expect(await waiting).toBe("token-1");
    one.close();
    expect(await other()).toBe("token-1");
    other.close();
    const next = provide(credential);
    expect(next.status.state).toBe("empty");
    const anew = next();
    expect(credential.calls).toHaveLength(2);
    credential.call(2).resolve(token(2, clock, HOUR));
    expect(await anew).toBe("token-2");
  });

  test("a provider that begins while the last one closes is not closed with it", async () => {
    const credential = healthy(clock);
    let next: TokenProvider | undefined;
    const provider = await warm(credential, {
      onEvent: (event) => {
        if (event.type === "closed") next = provide(credential);
      },
    });
    provider.close();
    expect(await next?.()).toBe("token-2");
  });

  test("two providers with the same listener: closing one leaves the other's", async () => {
    const credential = healthy(clock);
    const listener = vi.fn();
    const [one, other] = [
      provide(credential, { onEvent: listener }),
      provide(credential, { onEvent: listener }),
    ];
    one.close();
    await other();
    expect(listener.mock.calls.map(([event]) => event.type)).toEqual([
      "refresh-started",
      "refresh-succeeded",
    ]);
  });
});

describe("close", () => {
  test("is final and idempotent", async () => {
    const provider = await warm(healthy(clock));
    provider.close();
    provider.close();
    expect(await failure(provider())).toMatchObject({ code: "token/closed" });
    expect(provider.status).toEqual({ state: "closed", refreshing: false, consecutiveFailures: 0 });
    expect(types().filter((type) => type === "closed")).toHaveLength(1);
  });

  test("happens at the end of a block that uses the provider", async () => {
    const credential = healthy(clock);
    let kept: TokenProvider;
    {
      using provider = provide(credential);
      kept = provider;
      await provider();
    }
    expect(kept.status.state).toBe("closed");
  });

  test("during a pause between two attempts", async () => {
    const credential = new FakeCredential(() => httpError(503));
    const provider = provide(credential);
    const waiting = failure(provider());
    await settle();
    expect(clock.timers.size).toBe(2);
    provider.close();
    expect(await waiting).toMatchObject({ code: "token/closed" });
    expect(clock.timers.size).toBe(0);
  });
});

describe("events", () => {
  test("every type, with its time and scope, frozen", async () => {
    const credential = healthy(clock);
    const provider = await warm(credential);
    credential.answer = () => new Error("away");
    await clock.advance(56 * MINUTE);
    await provider();
    await settle();
    await provider();
    credential.answer = () => token(1, { now: () => START } as FakeClock, HOUR);
    await clock.advance(31 * SECOND);
    await provider();
    await settle();
    credential.answer = () => "hang";
    await clock.advance(61 * SECOND);
    await provider();
    await clock.advance(30 * SECOND);
    provider.invalidate();
    provider.getToken({ claims: "{}" }).catch(() => {});
    provider.close();
    expect(new Set(types())).toEqual(
      new Set([
        "refresh-started",
        "refresh-succeeded",
        "refresh-failed",
        "stale-served",
        "refresh-unchanged",
        "refresh-abandoned",
        "invalidated",
        "challenged",
        "closed",
      ]),
    );
    for (const event of events) {
      expect(event).toMatchObject({ at: expect.any(Number), scope: SCOPE });
      expect(Object.isFrozen(event) && ("error" in event ? Object.isFrozen(event.error) : true)).toBe(true);
    }
    expect(JSON.stringify(events)).not.toContain("token-1");
    expect(events.map((event) => event.at)).toEqual(events.map((event) => event.at).toSorted());
  });

  test("a listener that throws, at once or later, is harmless, and the others are told", async () => {
    const credential = healthy(clock);
    const told = vi.fn();
    provide(credential, {
      onEvent: () => {
        throw new Error("listener");
      },
    });
    provide(credential, { onEvent: async () => Promise.reject(new Error("later")) });
    const provider = provide(credential, { onEvent: told });
    expect(await provider()).toBe("token-1");
    await settle();
    expect(told).toHaveBeenCalledTimes(2);
  });

  test.each(["invalidate", "close", "call"] as const)("a listener that does %s from inside", async (what) => {
    const credential = new FakeCredential((n) => token(n, clock, n === 2 ? 4 * MINUTE : HOUR));
    let depth = 0;
    const provider: TokenProvider = provide(credential, {
      policy: { invalidateIntervalMs: 0 },
      onEvent: () => {
        if (clock.now() === START || depth > 0) return;
        depth += 1;
        if (what === "call") provider().catch(() => {});
        else provider[what]();
        depth -= 1;
      },
    });
    await provider();
    await clock.advance(56 * MINUTE);
    expect(await provider()).toBe("token-1");
    await settle();
    await clock.advance(MINUTE);
    const outcome = await provider().catch((error) => error.code);
    expect(outcome).toMatch(what === "close" ? /^token\/closed$/ : /^token-\d$/);
    await clock.advance(HOUR);
    expect(clock.timers.size).toBe(0);
  });
});

test("a provider that is closed by its listener as an acquisition starts aborts it", async () => {
  const credential = new FakeCredential(() => "hang");
  const provider: TokenProvider = provide(credential, { onEvent: () => provider.close() });
  expect(await failure(provider())).toMatchObject({ code: "token/closed" });
  expect(credential.call(1).options.abortSignal.aborted).toBe(true);
  expect(clock.timers.size).toBe(0);
});

describe("status", () => {
  test("in every state", async () => {
    const credential = healthy(clock);
    const provider = provide(credential);
    expect(provider.status).toEqual({ state: "empty", refreshing: false, consecutiveFailures: 0 });
    await provider();
    const held = { expiresOn: START + HOUR, refreshOn: START + 55 * MINUTE, refreshing: false };
    expect(provider.status).toEqual({ state: "fresh", ...held, consecutiveFailures: 0 });
    await clock.advance(55 * MINUTE);
    expect(provider.status).toEqual({ state: "due", ...held, consecutiveFailures: 0 });
    await clock.advance(5 * MINUTE);
    expect(provider.status).toEqual({ state: "expired", ...held, consecutiveFailures: 0 });
    provider.close();
    expect(provider.status.state).toBe("closed");
  });

  test("no output of a provider contains its token", async () => {
    const provider = await warm(healthy(clock));
    for (const shown of [
      inspect(provider, { depth: 10, showHidden: true }),
      JSON.stringify(provider.status),
      inspect(provider.status),
      JSON.stringify({ ...provider }),
      String(provider),
    ])
      expect(shown).not.toContain("token-1");
  });
});

describe("whatever happens", () => {
  /** Returns a fixed sequence of pseudorandom numbers in 0..1 (mulberry32). */
  function chances(seed: number): () => number {
    let state = seed;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  test.each(Array.from({ length: 60 }, (_, seed) => seed))(
    "no dead token, one acquisition, no timer left (%i)",
    async (seed) => {
      const chance = chances(seed);
      const pick = <T>(...from: T[]): T => from[Math.floor(chance() * from.length)] as T;
      const lives = new Map<string, number>();
      const open = new Set<number>();
      const credential = new FakeCredential((n) => {
        open.add(n);
        return "hang";
      });
      clock.random = chance;
      const provider = provide(credential, {
        keepFresh: pick(true, false),
        policy: { invalidateIntervalMs: 0 },
      });
      let rejected = "";
      let unsettled = 0;

      const call = () => {
        const rejectedBefore = rejected;
        unsettled += 1;
        provider()
          .then(
            (given) => {
              expect(lives.get(given)).toBeGreaterThan(clock.now());
              expect(given).not.toBe(rejectedBefore);
            },
            (error) => expect(error).toBeInstanceOf(KeylessError),
          )
          .finally(() => {
            unsettled -= 1;
          });
      };
      const answer = () => {
        const n = pick(...open);
        if (n === undefined) return;
        open.delete(n);
        const life = pick(5 * SECOND, 4 * MINUTE, HOUR, 24 * HOUR);
        lives.set(`token-${n}`, clock.now() + life);
        if (chance() < 0.6) credential.call(n).resolve(token(n, clock, life));
        else
          credential.call(n).reject(pick(httpError(503), httpError(400), unavailable(), new Error("away")));
      };
      const doings = [
        call,
        call,
        answer,
        answer,
        () => clock.advance(pick(1, SECOND, 20 * SECOND, 5 * MINUTE, HOUR)),
        () => clock.suspend(pick(SECOND, MINUTE, HOUR)),
        () => {
          const { state } = provider.status;
          const held = events.findLast((event) => event.type === "refresh-succeeded");
          if (state === "fresh" && held && chance() < 0.3) {
            const name = [...lives].find(([, expires]) => expires === held.expiresOn)?.[0] ?? "";
            if (provider.invalidate(name)) rejected = name;
          }
        },
      ];
      for (let step = 0; step < 150; step += 1) {
        await pick(...doings)();
        await settle();
        const running = [...open].filter((n) => !credential.call(n).options.abortSignal.aborted);
        expect(running.length).toBeLessThanOrEqual(1);
      }
      provider.close();
      await settle();
      expect(unsettled).toBe(0);
      expect(clock.timers.size).toBe(0);
    },
  );
});

describe("invalid arguments of a provider", () => {
  const bad = [-1, Number.NaN, Infinity, 0.5, 1e300, "5", null, 5n, Symbol("five"), {}, [5], true];

  function thrown(credential: unknown, scope: unknown, options?: unknown): KeylessError {
    try {
      createBearerTokenProvider(credential as FakeCredential, scope as string, options as never);
    } catch (error) {
      return error as KeylessError;
    }
    throw new Error("Accepted");
  }

  test.each(policy)("a bad $name", ({ name: field }) => {
    for (const value of bad) {
      const error = thrown(healthy(clock), SCOPE, { policy: { [field]: value } });
      expect(error).toBeInstanceOf(KeylessError);
      expect(error.code).toBe("policy/invalid");
      expect(error.message).toContain(field);
      expect(error.message).toMatch(/number of milliseconds/);
    }
  });

  test("an unknown field, a list, no object; a field that is undefined is left out", () => {
    expect(thrown(healthy(clock), SCOPE, { policy: { retryMs: 5 } })).toMatchObject({
      code: "policy/invalid",
      message: expect.stringContaining("retryMs"),
      hint: expect.stringContaining("retryMinMs"),
    });
    for (const policy of [5, "text", null, [5], () => {}])
      expect(thrown(healthy(clock), SCOPE, { policy })).toMatchObject({ code: "policy/invalid" });
    expect(thrown(healthy(clock), SCOPE, { policy: { retryMinMs: 9, retryMaxMs: 8 } }).message).toContain(
      "retryMaxMs",
    );
    expect(provide(healthy(clock), { policy: { jitterMs: undefined } as object }).status.state).toBe("empty");
  });

  test.each([undefined, null, "", " ", [], [""], [SCOPE, 5], 5, {}, Symbol("scope")])(
    "the scope %s",
    (scope) => {
      expect(thrown(healthy(clock), scope)).toMatchObject({
        code: "provider/scope",
        hint: expect.any(String),
      });
    },
  );

  test.each([undefined, null, 5, "key", {}, { getToken: "t" }, Symbol("c")])(
    "the credential %s",
    (credential) => {
      expect(thrown(credential, SCOPE)).toMatchObject({ code: "credential/invalid" });
    },
  );

  test.each([
    null,
    "options",
    5,
    { clock: {} },
    { clock: null },
    { clock: 5 },
    { onEvent: "log" },
    { tenantId: 5 },
  ])("the options %j", (options) => {
    expect(thrown(healthy(clock), SCOPE, options)).toMatchObject({ code: "policy/invalid" });
  });
});
