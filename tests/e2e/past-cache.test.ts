// The credential that is made by default keeps tokens, as MSAL does; the direct credential leads past its cache to the same identity.

import { createFoundryProvider, ManagedIdentityCopilotAgent } from "copilot-keyless";
import { expect, test } from "vitest";
import { emulated } from "./support.js";

const emulator = await emulated();

/** A provider whose scope, and so whose place in MSAL's cache, is its own. */
function foundryFor(name: string) {
  return createFoundryProvider({
    scope: `https://${name}.example/.default`,
    tokens: { policy: { invalidateIntervalMs: 0 } },
  });
}

test("a rejected token is followed by another one of the same identity", async () => {
  using foundry = foundryFor("rejected");
  expect(foundry.credential.kind).toBe("managed-identity");
  const first = await foundry.tokens();
  expect(foundry.tokens.invalidate(first)).toBe(true);
  const { identity } = emulator.counts;
  const second = await foundry.tokens();
  expect(second).not.toBe(first);
  expect(emulator.counts.identity).toBe(identity + 1);
  const subject = (token: string) => JSON.parse(atob(token.split(".")[1] ?? "")).sub;
  expect(subject(second)).toBe(subject(first));
});

test("the platform has a cache too: that the same token came again is told", async () => {
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

test("a way past the cache that leads nowhere is told as what it was: the same token again", async () => {
  using foundry = foundryFor("nowhere");
  const first = await foundry.tokens();
  const away = emulator.faults.add({ server: "identity", kind: "status", status: 400 });
  expect(foundry.tokens.invalidate(first)).toBe(true);
  await expect(foundry.tokens()).rejects.toMatchObject({ code: "token/rejected-again" });
  expect(away.hits).toBe(1);
});

test("a revoked token is replaced within the turn, and the conversation goes on", async () => {
  await using agent = new ManagedIdentityCopilotAgent({ session: { availableTools: [] } });
  await agent.chat("Warm up");
  emulator.revokeTokens();
  const { identity } = emulator.counts;
  expect(await agent.chat("Revoked?")).toContain("Revoked?");
  expect(await agent.chat("And now?")).toContain("And now?");
  expect(emulator.counts.identity).toBe(identity + 1);
});
