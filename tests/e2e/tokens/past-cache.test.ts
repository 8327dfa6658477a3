// The default credential caches tokens, as MSAL does; the direct credential bypasses its cache for
// the same identity.

import { type Clock, createFoundryProvider, FoundryAgent, type TokenProviderOptions } from "copilot-keyless";
import { expect, test, vi } from "vitest";
import { emulated } from "../support.js";

/** Long enough for a refresh at half its lifetime. */
const LIFE_MS = 10_000_000;
// Without the platform's cache, and without renewals.
const emulator = await emulated({ tokenLifetimeSeconds: LIFE_MS / 1_000, platformCache: false });

/** Creates a provider with its own scope, and so its own entry in MSAL's cache. */
function foundryFor(name: string, tokens: TokenProviderOptions = {}) {
  return createFoundryProvider({
    scope: `https://${name}.example/.default`,
    tokens: { policy: { invalidateIntervalMs: 0, jitterMs: 0 }, ...tokens },
  });
}

/** The platform's clocks; tests move one or both ahead. */
class MovedClock implements Clock {
  wall = 0;
  mono = 0;
  now = () => Date.now() + this.wall;
  monotonic = () => performance.now() + this.mono;
  random = () => 0;
  setTimeout = (callback: () => void, ms: number) => setTimeout(callback, ms);
  clearTimeout = (handle: unknown) => clearTimeout(handle as NodeJS.Timeout);
}

const claimsOf = (token: string) => JSON.parse(atob(token.split(".")[1] ?? ""));

test("a rejected token is followed by another one of the same identity", async () => {
  using foundry = foundryFor("rejected");
  expect(foundry.credential.kind).toBe("managed-identity");
  const first = await foundry.tokens();
  expect(foundry.tokens.invalidate(first)).toBe(true);
  const { identity } = emulator.counts;
  const second = await foundry.tokens();
  expect(second).not.toBe(first);
  // The endpoint refuses to renew it, once for this process; then the ordinary request.
  expect(emulator.counts.identity).toBe(identity + 2);
  expect(claimsOf(second).sub).toBe(claimsOf(first).sub);
});

test("so is every other one: MSAL still has the first, and it does not come back", async () => {
  using foundry = foundryFor("rejected-on-end");
  const seen = new Set<string>();
  for (let n = 1; n <= 4; n += 1) {
    const token = await foundry.tokens();
    seen.add(token);
    expect(seen.size).toBe(n);
    expect(foundry.tokens.invalidate(token)).toBe(true);
  }
});

test("a rejected token that lives longer than its successor does not come back in its place", async () => {
  const clock = new MovedClock();
  using foundry = foundryFor("outliving", { clock });
  const first = await foundry.tokens();
  const short = emulator.faults.add({
    server: "identity",
    kind: "malformed-expiry",
    expiresOn: String(Math.floor(Date.now() / 1000) + 1_800),
  });
  expect(foundry.tokens.invalidate(first)).toBe(true);
  const second = await foundry.tokens();
  expect(short.hits).toBe(1);
  // Its refresh is due, the cache fallback is blocked, and MSAL returns the first token.
  const away = emulator.faults.add({ server: "identity", kind: "status", status: 400 });
  clock.wall = clock.mono = 26 * 60_000;
  expect(await foundry.tokens()).toBe(second);
  await vi.waitFor(() => expect(foundry.tokens.status.refreshing).toBe(false));
  expect(away.hits).toBe(1);
  expect(await foundry.tokens()).toBe(second);
  expect(foundry.tokens.status).toMatchObject({ state: "due", consecutiveFailures: 1 });
});

test("callers do not wait for the refresh of a token that is rejected meanwhile", async () => {
  using foundry = foundryFor("overtaken");
  const first = await foundry.tokens();
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + LIFE_MS / 2 + 60_000 });
  try {
    // MSAL also refreshes, and returns the old token once more.
    emulator.faults.add({ server: "identity", kind: "delay", delayMs: 300 });
    expect(await foundry.tokens()).toBe(first);
    expect(foundry.tokens.status.refreshing).toBe(true);
    expect(foundry.tokens.invalidate(first)).toBe(true);
    expect(await foundry.tokens()).not.toBe(first);
  } finally {
    vi.useRealTimers();
  }
});

test("the identity is that of the plan, whatever becomes of the environment", async () => {
  const ids = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"];
  const providers = ids.map((id) => {
    process.env.AZURE_CLIENT_ID = id;
    return foundryFor("identities");
  });
  delete process.env.AZURE_CLIENT_ID;
  for (const [index, foundry] of providers.entries()) {
    const token = await foundry.tokens();
    expect(foundry.tokens.invalidate(token)).toBe(true);
    expect(claimsOf(await foundry.tokens()).appid).toBe(ids[index]);
    foundry.close();
  }
});

test("a claims challenge is answered by a new token: the claims may only ask for a later one", async () => {
  using foundry = foundryFor("challenged");
  const token = await foundry.tokens();
  const { identity } = emulator.counts;
  const claims = JSON.stringify({ access_token: { nbf: { essential: true, value: "1" } } });
  expect((await foundry.tokens.getToken({ claims, rejectedToken: token })).token).not.toBe(token);
  expect(emulator.counts.identity).toBe(identity + 1);
});

test("a way that leads nowhere is not taken for every call", async () => {
  const clock = new MovedClock();
  using foundry = foundryFor("nowhere-again", { clock });
  const token = await foundry.tokens();
  const body = {
    access_token: token,
    expires_on: String(claimsOf(token).exp),
    resource: "https://nowhere-again.example",
    token_type: "Bearer",
  };
  const same = emulator.faults.add({
    server: "identity",
    kind: "body",
    body,
    times: Number.POSITIVE_INFINITY,
  });
  // Expired only by the monotonic clock, because the wall clock was set back.
  clock.mono = LIFE_MS + 60_000;
  for (let call = 0; call < 10; call += 1) {
    await expect(foundry.tokens()).rejects.toMatchObject({ code: "token/not-renewed" });
  }
  expect(same.hits).toBe(1);
  same.remove();
  const expiresOn = String(claimsOf(token).exp + 3_600);
  emulator.faults.add({ server: "identity", kind: "malformed-expiry", expiresOn });
  clock.mono += 10_001;
  expect(await foundry.tokens()).not.toBe(token);
});

test("the platform also has a cache: reports that the same token came again", async () => {
  using foundry = foundryFor("platform");
  const first = await foundry.tokens();
  const expires_on = String(Math.floor(Date.now() / 1000) + 3_600);
  const body = {
    access_token: first,
    expires_on,
    resource: "https://platform.example",
    token_type: "Bearer",
  };
  const again = emulator.faults.add({ server: "identity", kind: "body", body });
  expect(foundry.tokens.invalidate(first)).toBe(true);
  await expect(foundry.tokens()).rejects.toMatchObject({ code: "token/rejected-again" });
  expect(again.hits).toBe(1);
});

test("a failed bypass of the cache is reported as the same token again", async () => {
  using foundry = foundryFor("nowhere");
  const first = await foundry.tokens();
  const away = emulator.faults.add({ server: "identity", kind: "status", status: 400 });
  expect(foundry.tokens.invalidate(first)).toBe(true);
  await expect(foundry.tokens()).rejects.toMatchObject({ code: "token/rejected-again" });
  expect(away.hits).toBe(1);
});

test("a revoked token is replaced within the turn, and the conversation goes on", async () => {
  await using agent = new FoundryAgent({ session: { availableTools: [] } });
  await agent.chat("Warm up");
  emulator.revokeTokens();
  const { identity } = emulator.counts;
  expect(await agent.chat("Revoked?")).toContain("Revoked?");
  expect(await agent.chat("And now?")).toContain("And now?");
  expect(emulator.counts.identity).toBe(identity + 1);
});
