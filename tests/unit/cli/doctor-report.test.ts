// How doctor shows the error of a credential: its cause, one line for each credential, and the fixes.

import { KeylessError } from "copilot-keyless";
import { afterEach, expect, test, vi } from "vitest";
import { DoctorReport } from "../../../js/cli/doctor-report.js";

afterEach(() => vi.restoreAllMocks());

const CHAIN = `ChainedTokenCredential authentication failed.
CredentialUnavailableError: EnvironmentCredential is unavailable. No underlying credential could be used.
CredentialUnavailableError: Please run 'az login' from a command prompt to authenticate before using this credential.`;

async function report(json: boolean, error: unknown): Promise<string> {
  const written: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
  const doctor = new DoctorReport(json, new AbortController().signal);
  await doctor.check("token", () => Promise.reject(error));
  expect(doctor.finish()).toBe(1);
  return written.join("");
}

const failed = new KeylessError("credential/unavailable", "No credential is available here", {
  hint: "general",
  cause: new Error(CHAIN),
});

test("a chain, link by link", async () => {
  const shown = await report(false, failed);
  expect(shown).toMatch(/^✗ credential\/unavailable {2}No credential is available here$/m);
  expect(shown).toMatch(/^ {2}Of 2 credentials .* AzureCliCredential came closest.* \(not-signed-in\)$/m);
  expect(shown).toMatch(/^ {4}AzureCliCredential: Nobody is signed in\n {4}EnvironmentCredential: /m);
  expect(shown).toMatch(/^ {2}1\. Sign in:\n +az login/m);
  expect(shown).not.toContain("general");
});

test("as JSON", async () => {
  const { problem } = JSON.parse(await report(true, failed));
  expect(problem).toMatchObject({
    code: "credential/unavailable",
    credential: { code: "not-signed-in", aadsts: [], links: [{ credential: "AzureCliCredential" }, {}] },
    fixes: [expect.stringContaining("az login"), expect.any(String)],
  });
});

test.each([
  [
    "no known cause",
    new KeylessError("credential/failed", "The credential returned no token", { hint: "own" }),
  ],
  ["settings", new KeylessError("credential/configuration", "AZURE_TENANT_ID is not set", { hint: "own" })],
  ["no answer at all", new KeylessError("token/timeout", "The credential did not answer", { hint: "own" })],
])("its own hint: %s", async (_name, error) => {
  expect(await report(false, error)).toMatch(/^ {2}own$/m);
});
