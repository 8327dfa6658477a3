// MSAL reads one expiry as far in the future, and caches that token forever. Our provider rejects
// it each time with a reason; with the default credential, it bypasses MSAL on the next attempt.

import { ManagedIdentityCredential } from "@azure/identity";
import { createBearerTokenProvider, createFoundryProvider } from "copilot-keyless";
import { expect, test } from "vitest";
import { emulated } from "../support.js";

const emulator = await emulated();

const ENDLESS: [code: string, name: string, expiresOn: () => string][] = [
  ["expiry/unreadable", "a number beyond all numbers", () => "12e400"],
  ["expiry/too-far-ahead", "milliseconds where seconds belong", () => String(Date.now() + 3_600_000)],
];

test.each(ENDLESS)("%s: %s; the default credential asks again", async (code, _, expiresOn) => {
  const scope = `https://default-${code.replace("/", "-")}.example/.default`;
  using foundry = createFoundryProvider({ scope });
  const before = emulator.counts.identity;
  emulator.faults.add({ server: "identity", kind: "malformed-expiry", expiresOn: expiresOn() });
  await expect(foundry.tokens()).rejects.toMatchObject({ code });
  // Force a refresh, because calls get the same error for a second.
  expect(await foundry.tokens.refresh()).toMatchObject({ token: expect.stringMatching(/^eyJ/) });
  expect(await foundry.tokens()).toMatch(/^eyJ/);
  expect(emulator.counts.identity).toBe(before + 2);
});

test.each(ENDLESS)("%s: %s; a credential of MSAL's never asks again", async (code, _, expiresOn) => {
  // Each has its own scope, the key of MSAL's cache, which lasts as long as the process.
  const scope = `https://${code.replace("/", "-")}.example/.default`;
  const provider = createBearerTokenProvider(new ManagedIdentityCredential(), scope);
  const before = emulator.counts.identity;
  emulator.faults.add({ server: "identity", kind: "malformed-expiry", expiresOn: expiresOn() });
  for (let call = 0; call < 3; call += 1) await expect(provider()).rejects.toMatchObject({ code });
  expect(emulator.counts.identity).toBe(before + 1);
  provider.close();
});
