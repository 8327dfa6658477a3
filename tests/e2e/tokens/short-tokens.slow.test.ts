// Tokens of 6 seconds in turns that take more than 20: callers must never wait for the refresh.

import { DefaultAzureCredential } from "@azure/identity";
import { createBearerTokenProvider, FoundryAgent, type TokenEvent } from "copilot-keyless";
import { afterAll, expect, test } from "vitest";
import { emulated } from "../support.js";

const IDENTITY_DELAY_MS = 700;
const TURNS_MS = 20_000;

const emulator = await emulated({ tokenLifetimeSeconds: 6 });
const events: TokenEvent[] = [];
const tokens = createBearerTokenProvider(new DefaultAzureCredential(), "https://ai.azure.com/.default", {
  onEvent: (event) => events.push(event),
});

/** The outcome of a call, and whether it was served before the acquisition in flight ended. */
const calls: { state: string; waitedForRefresh: boolean }[] = [];
const watched = Object.assign(
  async () => {
    // The state before the call, not the one that the call causes.
    const { state } = tokens.status;
    const landed = events.filter(({ type }) => type === "refresh-succeeded").length;
    const token = await tokens();
    calls.push({
      state,
      waitedForRefresh: events.filter(({ type }) => type === "refresh-succeeded").length > landed,
    });
    return token;
  },
  { getToken: tokens.getToken, invalidate: tokens.invalidate, close: tokens.close, status: tokens.status },
);

const agent = new FoundryAgent({ tokens: watched as unknown as typeof tokens });
afterAll(async () => {
  await agent.close();
  tokens.close();
});

test("no turn gets a 401, none waits while the token is good, and requests stay as the schedule promises", {
  timeout: 90_000,
}, async () => {
  emulator.faults.add({
    server: "identity",
    kind: "delay",
    delayMs: IDENTITY_DELAY_MS,
    times: Number.POSITIVE_INFINITY,
  });
  const started = Date.now();
  let turns = 0;
  while (Date.now() - started < TURNS_MS) {
    turns += 1;
    expect(await agent.chat(`Turn ${turns}`)).toContain(`Turn ${turns}`);
    await new Promise((next) => setTimeout(next, 150));
  }
  const elapsed = Date.now() - started;

  expect(turns).toBeGreaterThan(20);
  expect(emulator.counts.unauthorized).toBe(0);
  expect(emulator.requests.filter(({ server, status }) => server === "foundry" && status !== 200)).toEqual(
    [],
  );
  expect(
    calls.filter(({ state, waitedForRefresh }) => (state === "fresh" || state === "due") && waitedForRefresh),
  ).toEqual([]);
  expect(events.filter(({ type }) => type === "refresh-failed")).toEqual([]);
  // A refresh is due after at least half of 6 s: at most one request in 3 s, and at least one per
  // lifetime.
  const { identity } = emulator.counts;
  expect(identity).toBeGreaterThanOrEqual(Math.floor(elapsed / 7_000));
  expect(identity).toBeLessThanOrEqual(Math.ceil(elapsed / 3_000) + 1);
});
