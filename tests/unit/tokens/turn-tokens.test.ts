// The Copilot runtime asks up to six times for a turn's token. All of them have one wait.

import { createBearerTokenProvider } from "copilot-keyless";
import { FakeClock } from "copilot-keyless/testing";
import { beforeEach, expect, test } from "vitest";
import type { KeylessError } from "../../../js/errors/keyless-error.js";
import { isEndOfTurn } from "../../../js/tokens/errors.js";
import { withinTurn } from "../../../js/tokens/provider.js";
import { TurnTokens } from "../../../js/tokens/turn-tokens.js";
import { planModule } from "../../../js/wasm/bindings.js";
import type { Turn } from "../../../js/wasm/modules/plan.js";
import { FakeCredential, failure, httpError, token } from "../../support/credential.js";

const SECOND = 1_000;
const HOUR = 3_600_000;
let clock: FakeClock;
beforeEach(() => {
  clock = new FakeClock();
});

function turnOf(credential: FakeCredential) {
  const tokens = createBearerTokenProvider(credential, "https://ai.azure.com/.default", { clock });
  const turn = new (planModule().Turn)();
  const own = new TurnTokens(turn, 1);
  return { turn, own, tokens, ask: () => withinTurn(own, tokens, tokens) };
}

/** Begins the next turn. */
const begin = (turn: Turn) => turn.note("user.message", false);

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
    if (isEndOfTurn(error as KeylessError)) {
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
  const { ask, tokens, turn } = turnOf(credential);
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
  begin(turn);
  expect(await ask()).toBe("token-2");
});

test("an endpoint that comes back within the wait serves the turn", async () => {
  const credential = new FakeCredential((n) => (n < 4 ? lost() : token(n, clock, HOUR)));
  const { ask } = turnOf(credential);
  for (let failed = 0; failed < 3; failed += 1) {
    expect(isEndOfTurn((await failure(ask())) as KeylessError)).toBe(false);
    await clock.advance(2 * SECOND);
  }
  expect(await ask()).toBe("token-4");
});

test("the next turn has a wait of its own, and asks at once", async () => {
  const credential = new FakeCredential((n) => (n === 1 ? "hang" : token(n, clock, HOUR)));
  const { ask, turn } = turnOf(credential);
  const first = failure(ask());
  await clock.advance(15 * SECOND);
  expect(await first).toMatchObject({ code: "token/timeout", retryAfterMs: SECOND });
  expect(isEndOfTurn((await first) as KeylessError)).toBe(true);
  begin(turn);
  expect(await ask()).toBe("token-2");
});

test("turns that share an acquisition do not share its end", async () => {
  const credential = new FakeCredential((n) => (n === 1 ? httpError(503) : "hang"));
  const first = turnOf(credential);
  const early = failure(first.ask());
  await clock.advance(10 * SECOND);
  const late = failure(turnOf(credential).ask());
  await clock.advance(5 * SECOND);
  expect(isEndOfTurn((await early) as KeylessError)).toBe(true);
  expect(isEndOfTurn((await late) as KeylessError)).toBe(false);
});

test("an error that only a person can change ends the turn at once", async () => {
  const { ask } = turnOf(new FakeCredential(() => httpError(400)));
  const error = (await failure(ask())) as KeylessError;
  expect(error.code).toBe("credential/refused");
  expect(isEndOfTurn(error)).toBe(true);
});

test("a token that is rejected twice in a row is not sent again in this turn", async () => {
  const { ask, own, turn } = turnOf(new FakeCredential((n) => token(n, clock, HOUR)));
  for (let rejected = 0; rejected < 2; rejected += 1) {
    expect(await ask()).toBe("token-1");
    expect(own.failed(false, true)).toBe("token-1");
  }
  const error = await failure(ask());
  expect(error).toMatchObject({ code: "token/rejected-again" });
  expect(isEndOfTurn(error as KeylessError)).toBe(true);
  // In the next one the role may have been assigned.
  begin(turn);
  expect(await ask()).toBe("token-1");
});

test("a token keeps its number only as long as the turn may be about it", async () => {
  const { own } = turnOf(new FakeCredential((n) => token(n, clock, HOUR)));
  for (const text of ["a", "b", "c", "d", "a"]) own.give(text);
  expect(own.sent).toBe("a");
  own.give("e");
  expect(own.sent).toBe("e");
});
