// Tests the token provider with a fake credential and a fake clock.

import { createBearerTokenProvider, type TokenEvent } from "copilot-keyless";
import { FakeClock } from "copilot-keyless/testing";
import { FakeCredential, healthy, httpError, token } from "../../support/credential.js";
import type { Case } from "../suite.js";
import { check, refused, same } from "./check.js";

const SCOPE = "https://ai.azure.com/.default";
const MINUTE = 60_000;

export const tokens: readonly Case[] = [
  [
    "token provider: one acquisition for all callers, refreshed before it expires",
    async () => {
      const clock = new FakeClock();
      const credential = healthy(clock);
      const events: TokenEvent["type"][] = [];
      const provider = createBearerTokenProvider(credential, SCOPE, {
        clock,
        onEvent: ({ type }) => events.push(type),
      });
      const first = await Promise.all(Array.from({ length: 50 }, () => provider()));
      same(new Set(first).size, 1);
      same(credential.calls.length, 1);
      await clock.advance(56 * MINUTE);
      // The refresh is due: the call gets the old token, and the new one arrives in the background.
      same(await provider(), "token-1");
      await clock.advance(1);
      same(await provider(), "token-2");
      same(credential.calls.length, 2);
      check(events.includes("refresh-succeeded"), events.join());
      provider.close();
      await refused(() => provider(), "token/closed");
    },
  ],
  [
    "token provider: outage, rejected token, no dead token",
    async () => {
      const clock = new FakeClock();
      const credential = new FakeCredential((n) => (n === 2 ? httpError(500) : token(n, clock, 60 * MINUTE)));
      const provider = createBearerTokenProvider(credential, SCOPE, { clock });
      const first = await provider();
      same(provider.invalidate(first), true);
      // A transient failure: retried while callers wait.
      const second = provider();
      await clock.advance(MINUTE);
      same(await second, "token-3");
      same(await provider(), "token-3");
      clock.suspend(120 * MINUTE);
      same(await provider(), "token-4");
      provider.close();
    },
  ],
];
