// One outage of the identity endpoint has one code, whichever credential meets it, whoever waits, and
// however long.

import { describe, expect, test } from "vitest";
import { newcomer, root, run } from "../../support/process.js";

const OUTAGES = { "5xx": "credential/server-error", silent: "credential/network", refused: "credential/network" };
/** `default` is `AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential`, `chain` is `DefaultAzureCredential`. */
const CREDENTIALS = ["direct", "managed-identity", "default", "chain"];

async function report(outage: string, credential: string): Promise<Record<string, string>> {
  const program = `${root}tests/e2e/programs/outage.mjs`;
  const { stdout, stderr } = await run(process.execPath, [program, outage, credential], { env: newcomer() });
  expect(stdout, stderr).not.toBe("");
  return JSON.parse(stdout.trim().split("\n").at(-1) as string);
}

describe.each(Object.entries(OUTAGES))("%s: %s", (outage, code) => {
  test.each(CREDENTIALS)("%s", { timeout: 180_000 }, async (credential) => {
    const codes = await report(outage, credential);
    const surfaces = ["tokens", "chat", "stream", "impatient", "functions"];
    const expected = [...surfaces, ...(credential === "direct" ? ["edge"] : [])];
    expect(codes).toEqual(Object.fromEntries(expected.map((surface) => [surface, code])));
  });
});
