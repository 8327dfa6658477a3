// Tests how often a failing credential is called: without a token at most once a second, after
// `Retry-After`, and at once when a caller forces it.

import {
  createBearerTokenProvider,
  type TokenEvent,
  type TokenProvider,
  type TokenProviderOptions,
} from "copilot-keyless";
import { FakeClock } from "copilot-keyless/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { START, settle } from "../../../js/testing/fake-clock.js";
import { FakeCredential, failure, healthy, httpError, token } from "../../support/credential.js";

const SCOPE = "https://ai.azure.com/.default";
const HOUR = 3_600_000;

let clock: FakeClock;
let events: TokenEvent[];

beforeEach(() => {
  clock = new FakeClock();
  events = [];
});

const provide = (credential: FakeCredential, options: TokenProviderOptions = {}): TokenProvider =>
  createBearerTokenProvider(credential, SCOPE, { clock, onEvent: (event) => events.push(event), ...options });

const refusedConnection = (n: number) =>
  Object.assign(new Error(`connect ECONNREFUSED, attempt ${n}`), { code: "ECONNREFUSED" });

describe("failures without a status", () => {
  test("a thousand calls one after another make one acquisition, and get its error", async () => {
    const credential = new FakeCredential(refusedConnection);
    const provider = provide(credential);
    const errors = new Set<unknown>();
    for (let call = 0; call < 1_000; call += 1) errors.add(await failure(provider()));
    expect(credential.calls).toHaveLength(1);
    expect(errors.size).toBe(1);
    expect([...errors]).toMatchObject([{ code: "credential/network" }]);
    expect(provider.status).toMatchObject({
      state: "empty",
      nextAttemptOn: START + 1_000,
      refreshing: false,
      consecutiveFailures: 1,
      lastError: { code: "credential/network" },
    });
    expect(events.at(-1)).toMatchObject({ type: "refresh-failed", nextAttemptOn: START + 1_000 });
  });

  test("a thousand calls in ten seconds make one acquisition a second", async () => {
    const credential = new FakeCredential(refusedConnection);
    const provider = provide(credential);
    for (let call = 0; call < 1_000; call += 1) {
      await failure(provider());
      clock.wallMs += 10;
      clock.monotonicMs += 10;
    }
    expect(credential.calls).toHaveLength(10);
    expect(events.filter(({ type }) => type === "refresh-started")).toHaveLength(10);
  });

  test("the first call after the pause is served when the endpoint is back", async () => {
    const credential = new FakeCredential((n) => (n === 1 ? refusedConnection(n) : token(n, clock, HOUR)));
    const provider = provide(credential);
    await failure(provider());
    await clock.advance(999);
    await failure(provider());
    await clock.advance(1);
    expect(provider.status.nextAttemptOn).toBeUndefined();
    expect(await provider()).toBe("token-2");
    expect(provider.status).not.toHaveProperty("lastError");
  });

  test("a credential that returns no token, or an expired one, is not called more often", async () => {
    for (const answer of [() => null, () => ({ token: "dead", expiresOnTimestamp: clock.now() - 1 })]) {
      const credential = new FakeCredential(answer);
      const provider = provide(credential);
      for (let call = 0; call < 100; call += 1) await failure(provider());
      expect(credential.calls).toHaveLength(1);
    }
  });

  test("a deadline shorter than a second is reported as a timeout, even before its timer fires", async () => {
    const credential = new FakeCredential(() => "hang");
    const provider = provide(credential, { policy: { waitTimeoutMs: 10 } });
    const first = failure(provider());
    await settle();
    // On a busy machine the timer is late.
    clock.wallMs += 20;
    clock.monotonicMs += 20;
    expect(await failure(provider())).toMatchObject({ code: "token/timeout" });
    expect(await first).toMatchObject({ code: "token/timeout" });
    expect(credential.calls).toHaveLength(1);
    expect(credential.call(1).options.abortSignal.aborted).toBe(true);
  });
});

describe("Retry-After", () => {
  test("an hour refuses everyone for two minutes, and the status says so", async () => {
    const credential = new FakeCredential((n) =>
      n === 1 ? httpError(429, { "retry-after": "3600" }) : token(n, clock, HOUR),
    );
    const provider = provide(credential);
    expect(await failure(provider())).toMatchObject({ code: "credential/throttled" });
    expect(provider.status.nextAttemptOn).toBe(START + 120_000);
    await clock.advance(119_999);
    expect(await failure(provider())).toMatchObject({ code: "credential/throttled" });
    await clock.advance(1);
    expect(await provider()).toBe("token-2");
  });

  test("a date counts from the answer on", async () => {
    const later = new Date(START + 60_000).toUTCString();
    const credential = new FakeCredential(() => httpError(503, { "retry-after": later }));
    const provider = provide(credential);
    await failure(provider());
    expect(provider.status.nextAttemptOn).toBe(START + 60_000);
  });

  test("a fleet that is asked to come back at one moment does not", async () => {
    const moments = new Set<number | undefined>();
    for (let member = 0; member < 100; member += 1) {
      clock.randomValue = member / 100;
      const provider = provide(new FakeCredential(() => httpError(429, { "retry-after": "60" })));
      await failure(provider());
      moments.add(provider.status.nextAttemptOn);
    }
    expect(moments.size).toBe(100);
    expect(Math.min(...([...moments] as number[]))).toBe(START + 60_000);
    expect(Math.max(...([...moments] as number[]))).toBeGreaterThan(START + 71_000);
  });
});

describe("refresh()", () => {
  test("calls the credential at once despite Retry-After, and returns the new token", async () => {
    const credential = new FakeCredential((n) =>
      n === 1 ? httpError(429, { "retry-after": "3600" }) : token(n, clock, HOUR),
    );
    const provider = provide(credential);
    await failure(provider());
    expect(await provider.refresh()).toEqual({ token: "token-2", expiresOnTimestamp: START + HOUR });
    expect(await provider()).toBe("token-2");
    await clock.advance(10_000);
    expect(await provider.refresh()).toMatchObject({ token: "token-3" });
    expect(await provider()).toBe("token-3");
    expect(credential.calls).toHaveLength(3);
  });

  test("shares the acquisition that is under way: with other clicks, callers and the background", async () => {
    const credential = new FakeCredential((n) => (n === 1 ? token(n, clock, HOUR) : "hang"));
    const provider = provide(credential);
    await provider();
    const clicks = Array.from({ length: 100 }, () => provider.refresh());
    expect(credential.calls).toHaveLength(2);
    expect(provider.status.refreshing).toBe(true);
    expect(await provider()).toBe("token-1");
    credential.call(2).resolve(token(2, clock, HOUR + 60_000));
    expect(new Set((await Promise.all(clicks)).map((given) => given.token))).toEqual(new Set(["token-2"]));
    await clock.advance(56 * 60_000);
    expect(await provider()).toBe("token-2");
    const click = provider.refresh();
    expect(credential.calls).toHaveLength(3);
    credential.call(3).resolve(token(3, clock, HOUR));
    expect(await click).toMatchObject({ token: "token-3" });
  });

  test("ends the pause between two attempts of an acquisition that callers wait for", async () => {
    const credential = new FakeCredential((n) => (n < 3 ? httpError(503) : token(n, clock, HOUR)));
    const provider = provide(credential);
    const caller = provider();
    await settle();
    expect(credential.calls).toHaveLength(1);
    const clicks = [provider.refresh(), provider.refresh()];
    expect(credential.calls).toHaveLength(2);
    await settle();
    clicks.push(provider.refresh());
    expect(credential.calls).toHaveLength(3);
    for (const click of clicks) expect(await click).toMatchObject({ token: "token-3" });
    expect(await caller).toBe("token-3");
    await clock.advance(15_000);
    expect(credential.calls).toHaveLength(3);
  });

  test("rejects with the error of that attempt, and the held token stays in use", async () => {
    const credential = new FakeCredential((n) => (n === 1 ? token(n, clock, HOUR) : refusedConnection(n)));
    const provider = provide(credential);
    await provider();
    for (const n of [2, 3]) {
      expect(await failure(provider.refresh())).toMatchObject({
        code: "credential/network",
        message: expect.stringContaining(`attempt ${n}`),
      });
    }
    expect(await provider()).toBe("token-1");
    expect(provider.status).toMatchObject({ state: "fresh", consecutiveFailures: 2 });
  });

  test("without a token, too, each click is an attempt and calls between them are none", async () => {
    const credential = new FakeCredential(refusedConnection);
    const provider = provide(credential);
    for (let click = 0; click < 3; click += 1) {
      await failure(provider.refresh());
      await failure(provider());
    }
    expect(credential.calls).toHaveLength(3);
  });

  test("a credential that hangs ends it in time", async () => {
    const provider = provide(new FakeCredential(() => "hang"));
    const click = failure(provider.refresh());
    await clock.advance(15_000);
    expect(await click).toMatchObject({ code: "token/timeout" });
  });

  test("returns the same token if the credential does", async () => {
    const same = token(1, clock, HOUR);
    const provider = provide(new FakeCredential(() => same));
    await provider();
    expect(await provider.refresh()).toEqual(same);
    expect(events.at(-1)).toMatchObject({ type: "refresh-unchanged" });
  });

  test("a closed provider says so; one that is closed meanwhile, too; the token given is the caller's own", async () => {
    const credential = healthy(clock);
    const provider = provide(credential);
    const given = await provider.refresh();
    given.token = "changed";
    expect(await provider()).toBe("token-1");
    credential.answer = () => "hang";
    const click = failure(provider.refresh());
    provider.close();
    expect(await click).toMatchObject({ code: "token/closed" });
    expect(await failure(provider.refresh())).toMatchObject({ code: "token/closed" });
  });
});
