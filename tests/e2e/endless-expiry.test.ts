// One answer whose expiry MSAL takes for far away: MSAL keeps that token for good. Ours refuses it each time, and says why.

import { ManagedIdentityCredential } from "@azure/identity";
import { createBearerTokenProvider } from "copilot-keyless";
import { expect, test } from "vitest";
import { emulated } from "./support.js";

const emulator = await emulated();

test.each([
  ["expiry/unreadable", "a number beyond all numbers", () => "12e400"],
  ["expiry/too-far-ahead", "milliseconds where seconds belong", () => String(Date.now() + 3_600_000)],
])("%s: %s; a credential of MSAL's never asks again", async (code, _, expiresOn) => {
  // A scope of its own each: the cache goes by it, and lives as long as the process.
  const scope = `https://${code.replace("/", "-")}.example/.default`;
  const provider = createBearerTokenProvider(new ManagedIdentityCredential(), scope);
  const before = emulator.counts.identity;
  emulator.faults.add({ server: "identity", kind: "malformed-expiry", expiresOn: expiresOn() });
  for (let call = 0; call < 3; call += 1) await expect(provider()).rejects.toMatchObject({ code });
  expect(emulator.counts.identity).toBe(before + 1);
  provider.close();
});
