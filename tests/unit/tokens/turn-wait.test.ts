// The Copilot runtime asks up to six times for a turn's token. All of them have one wait.

import { createBearerTokenProvider } from "copilot-keyless";
import { FakeClock } from "copilot-keyless/testing";
import { beforeEach, expect, test } from "vitest";
import type { KeylessError } from "../../../js/errors/keyless-error.js";
import { isEndOfWait } from "../../../js/tokens/errors.js";
import { withinTurn } from "../../../js/tokens/provider.js";
import { TurnWait } from "../../../js/tokens/turn-wait.js";
import { FakeCredential, failure, httpError, token } from "../../support/credential.js";

const SECOND = 1_000;
const HOUR = 3_600_000;
let clock: FakeClock;
beforeEach(() => {
  clock = new FakeClock();
});

function turnOf(credential: FakeCredential, wait = new TurnWait()) {
  const tokens = createBearerTokenProvider(credential, "https://ai.azure.com/.default", { clock });
  return { wait, tokens, ask: () => withinTurn(wait, tokens, tokens) };
}

/** Asks as the runtime does, a second after each failure. Returns the error that ends the turn. */
async function run(ask: () => Promise<string>): Promise<{ error: KeylessError; afterMs: number }> {
  const start = clock.monotonic();
  for (let asked = 0; asked < 6; asked += 1) {
    let error: unknown;
    const asking = failure(ask()).then((thrown) => {
      error = thrown;
    });
    while (error === undefined) await clock.advance(100);
    await asking;
    if (isEndOfWait(error as KeylessError)) {
      return { error: error as KeylessError, afterMs: clock.monotonic() - start };
    }
    await clock.advance(SECOND);
  }
  throw new Error("The turn was never told.");
}

const lost = () => Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
const throttled = () => Object.assign(httpError(429), { response: { headers: { "retry-after": "30" } } });

test.each([
  ["an endpoint that hangs", () => "hang", "token/timeout", 15],
  ["HTTP 503", () => httpError(503), "credential/server-error", 15],
  ["a longer Retry-After than the wait", throttled, "credential/throttled", 0.1],
])("%s: one wait, then the error with the next attempt", async (_title, answer, code, seconds) => {
  const { error, afterMs } = await run(turnOf(new FakeCredential(answer)).ask);
  expect(error).toMatchObject({ code, retryable: true, retryAfterMs: expect.any(Number) });
  expect(error.retryAfterMs).toBeGreaterThanOrEqual(code === "credential/throttled" ? 30_000 : SECOND - 100);
  expect(afterMs).toBeGreaterThanOrEqual(seconds * SECOND - 2 * SECOND);
  expect(afterMs).toBeLessThanOrEqual(seconds * SECOND);
});

test("the rest of the wait ends before the acquisition that is under way", async () => {
  const credential = new FakeCredential((n) => (n === 1 ? lost() : "hang"));
  const { ask, tokens, wait } = turnOf(credential);
  await failure(ask());
  await clock.advance(5 * SECOND);
  const again = failure(ask());
  await clock.advance(10 * SECOND);
  expect(await again).toMatchObject({
    code: "credential/network",
    message: expect.stringContaining("No token within 15 s. The identity endpoint cannot be reached"),
  });
  expect(await failure(ask())).toBe(await again);
  // It goes on, and serves the next turn.
  expect(tokens.status.refreshing).toBe(true);
  credential.call(2).resolve(token(2, clock, HOUR));
  wait.reset();
  expect(await ask()).toBe("token-2");
});

test("an endpoint that comes back within the wait serves the turn", async () => {
  const credential = new FakeCredential((n) => (n < 4 ? lost() : token(n, clock, HOUR)));
  const { ask } = turnOf(credential);
  for (let failed = 0; failed < 3; failed += 1) {
    expect(isEndOfWait((await failure(ask())) as KeylessError)).toBe(false);
    await clock.advance(2 * SECOND);
  }
  expect(await ask()).toBe("token-4");
});

test("the next turn has a wait of its own, and asks at once", async () => {
  const credential = new FakeCredential((n) => (n === 1 ? "hang" : token(n, clock, HOUR)));
  const { ask, wait } = turnOf(credential);
  const first = failure(ask());
  await clock.advance(15 * SECOND);
  expect(await first).toMatchObject({ code: "token/timeout", retryAfterMs: SECOND });
  expect(isEndOfWait((await first) as KeylessError)).toBe(true);
  wait.reset();
  expect(await ask()).toBe("token-2");
});

test("turns that share an acquisition do not share its end", async () => {
  const credential = new FakeCredential(() => "hang");
  const first = turnOf(credential);
  const early = failure(first.ask());
  await clock.advance(10 * SECOND);
  const late = failure(withinTurn(new TurnWait(), first.tokens, first.tokens));
  await clock.advance(5 * SECOND);
  expect(isEndOfWait((await early) as KeylessError)).toBe(true);
  expect(isEndOfWait((await late) as KeylessError)).toBe(false);
});

test("errors that no wait cures do not count", async () => {
  const credential = new FakeCredential(() => httpError(400));
  const { ask } = turnOf(credential);
  const error = (await failure(ask())) as KeylessError;
  expect(error.code).toBe("credential/refused");
  expect(isEndOfWait(error)).toBe(false);
});
