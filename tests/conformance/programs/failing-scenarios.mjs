// Runs every failure with no error handler except the caller's, or none for calls in the
// background. With --unhandled-rejections=strict, one unhandled rejection ends the process.
import { createBearerTokenProvider } from "copilot-keyless";
import { HOUR, MINUTE, SECOND, SimulatedClock, settle } from "./clocks.mjs";
import { outcomeOf, report, SCOPE, ScriptedCredential, unreachable } from "./systems.mjs";

const status = (statusCode, more) => async () => {
  throw Object.assign(new Error(`HTTP ${statusCode}`), { statusCode, ...more });
};
const never = () => new Promise(() => {});

/** Failures that credentials have shown, and some more. */
const FAILURES = {
  unreachable,
  "throws at once": () => {
    throw new Error("at once");
  },
  "rejects with nothing": () => Promise.reject(),
  "rejects with a text": () => Promise.reject("a text"),
  "rejects with an error that throws when read": () =>
    Promise.reject(
      Object.defineProperty(new Error("unreadable"), "statusCode", {
        get() {
          throw new Error("a getter");
        },
      }),
    ),
  "rejects with an error that causes itself": () => {
    const error = new Error("circular");
    error.cause = error;
    return Promise.reject(error);
  },
  "HTTP 400": status(400),
  "HTTP 401": status(401),
  "HTTP 404": status(404),
  "HTTP 410": status(410),
  "HTTP 429": status(429, { response: { headers: new Headers({ "retry-after": "7" }) } }),
  "HTTP 500": status(500),
  "HTTP 503": status(503),
  unavailable: async () => {
    throw Object.assign(new Error("no credential"), { name: "CredentialUnavailableError" });
  },
  "a chain of failures": async () => {
    throw Object.assign(new Error("all failed"), { errors: [new Error("one"), new Error("two")] });
  },
  "never answers": never,
  null: async () => null,
  "no object": async () => "token",
  "an empty token": async () => ({ token: "", expiresOnTimestamp: 1 }),
  "a token with a line break": async () => ({ token: "a\nb", expiresOnTimestamp: Date.now() * 2 }),
  "a token without an expiry": async () => ({ token: "t" }),
  "an expiry that is no number": async () => ({ token: "t", expiresOnTimestamp: Number.NaN }),
  "an expired token": async () => ({ token: "t", expiresOnTimestamp: 1_600_000_000_000 }),
  "a token for ever": async () => ({ token: "t", expiresOnTimestamp: 9e15 }),
  "a thenable that throws": () => ({
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested.
    then() {
      throw new Error("then");
    },
  }),
};

let scenarios = 0;
const codes = new Set();

/** Runs one scenario, then two more hours for everything that it leaves running. */
async function scenario(play) {
  scenarios += 1;
  const clock = new SimulatedClock();
  const credential = new ScriptedCredential(clock.now, HOUR);
  const provider = (options = {}) => createBearerTokenProvider(credential, SCOPE, { clock, ...options });
  const call = (provide) => outcomeOf(provide).then(({ error }) => error && codes.add(error));
  await play({ clock, credential, provider, call });
  for (let n = 0; n < 24; n += 1) await clock.advance(5 * MINUTE);
}

for (const failure of Object.values(FAILURES)) {
  // Cold: callers wait.
  await scenario(({ credential, provider, call }) => {
    credential.failure = failure;
    const provide = provider();
    for (let n = 0; n < 3; n += 1) call(provide);
  });
  // In the background, and without another call until long after the token has expired.
  await scenario(async ({ clock, credential, provider }) => {
    const provide = provider();
    await provide();
    credential.failure = failure;
    await clock.advance(58 * MINUTE);
    await provide();
  });
  // In the background, joined by callers when the token expires.
  await scenario(async ({ clock, credential, provider, call }) => {
    const provide = provider();
    await provide();
    credential.failure = failure;
    await clock.advance(HOUR - 20 * SECOND);
    await provide();
    await clock.advance(15 * SECOND);
    call(provide);
    call(provide);
  });
  // On a timer for two hours.
  await scenario(async ({ credential, provider }) => {
    const provide = provider({ keepFresh: true });
    await provide();
    credential.failure = failure;
  });
  // After the resource rejected the token.
  await scenario(async ({ credential, provider, call }) => {
    const provide = provider();
    await provide();
    credential.failure = failure;
    provide.invalidate();
    call(provide);
  });
  // Closed during an acquisition, in the background or with callers waiting.
  await scenario(async ({ clock, credential, provider, call }) => {
    const provide = provider();
    await provide();
    credential.failure = failure;
    await clock.advance(58 * MINUTE);
    await provide();
    provide.close();
    call(provide);
  });
  await scenario(({ credential, provider, call }) => {
    credential.failure = failure;
    const provide = provider();
    call(provide);
    provide.close();
  });
  // The caller aborts before it fails.
  await scenario(({ credential, provider, call }) => {
    credential.failure = failure;
    const provide = provider();
    const leave = new AbortController();
    call(() => provide.getToken({ abortSignal: leave.signal }));
    leave.abort();
    call(() => provide.getToken({ abortSignal: AbortSignal.abort() }));
  });
  // Listeners that throw.
  for (const onEvent of [
    () => {
      throw new Error("listener");
    },
    () => Promise.reject(new Error("listener")),
  ]) {
    await scenario(({ credential, provider, call }) => {
      credential.failure = failure;
      call(provider({ onEvent }));
    });
  }
}

// Responses after the flight was abandoned.
for (const settleLate of [
  ({ reject }) => reject(new Error("late")),
  ({ resolve }) => resolve(null),
  ({ resolve }) => resolve({ token: "late", expiresOnTimestamp: 1_700_003_600_000 }),
]) {
  for (const warm of [false, true]) {
    await scenario(async ({ clock, credential, provider, call }) => {
      const provide = provider();
      if (warm) await provide();
      let late;
      credential.failure = () =>
        new Promise((resolve, reject) => {
          late = { resolve, reject };
        });
      if (warm) await clock.advance(58 * MINUTE);
      call(provide);
      await clock.advance(40 * SECOND);
      settleLate(late);
    });
  }
}

// The credential returns the rejected token again.
await scenario(async ({ clock, credential, provider, call }) => {
  credential.failure = async () => ({ token: "same", expiresOnTimestamp: clock.now() + HOUR });
  const provide = provider();
  await provide();
  provide.invalidate("same");
  call(provide);
  await settle();
  call(provide);
});
// The machine sleeps during an acquisition, and the clock is set forward and back.
for (const by of [-3 * HOUR, 3 * HOUR]) {
  await scenario(async ({ clock, credential, provider, call }) => {
    const provide = provider();
    await provide();
    credential.failure = never;
    await clock.advance(58 * MINUTE);
    await provide();
    clock.set(by);
    call(provide);
    await clock.advance(SECOND);
    call(provide);
  });
}

report({ scenarios, codes: [...codes].sort() });
