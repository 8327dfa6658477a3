// The package publishes every event on a diagnostics channel, for tools that do not know the
// program.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createBearerTokenProvider, type TokenEvent } from "copilot-keyless";
import { expect, test } from "vitest";

test("the channel copilot-keyless:token carries the events of all providers", async () => {
  const seen: TokenEvent[] = [];
  const take = (message: unknown) => seen.push(message as TokenEvent);
  const token = "a-token-that-must-not-be-seen";
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const provider = createBearerTokenProvider(credential, "https://ai.azure.com/.default");
  subscribe("copilot-keyless:token", take);
  await provider();
  provider.invalidate();
  provider.close();
  unsubscribe("copilot-keyless:token", take);
  expect(seen.map(({ type }) => type)).toEqual([
    "refresh-started",
    "refresh-succeeded",
    "invalidated",
    "closed",
  ]);
  expect(JSON.stringify(seen)).not.toContain(token);
  for (const event of seen)
    expect(event).toMatchObject({ at: expect.any(Number), scope: "https://ai.azure.com/.default" });
});
