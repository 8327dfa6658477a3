// What a revocation and a change of roles mean for each credential, under one kind of platform.
// Imported by a test file per kind, because `@azure/identity` keeps its tokens per process.

import { DefaultAzureCredential, ManagedIdentityCredential } from "@azure/identity";
import { FoundryAgent } from "copilot-keyless";
import type { EmulatorOptions } from "copilot-keyless/emulator";
import { expect, test } from "vitest";
import { emulated } from "../support.js";

/** The credentials: ours, and those of `@azure/identity` that a program passes. */
const CREDENTIALS = {
  default: () => undefined,
  direct: () => "direct" as const,
  ManagedIdentityCredential: () => new ManagedIdentityCredential(),
  DefaultAzureCredential: () => new DefaultAzureCredential(),
};

export type CredentialName = keyof typeof CREDENTIALS;

/** What becomes of the turn after a revocation, and how often the identity endpoint is asked. */
type Outcome = [turn: "served" | "rejected", identityRequests: number];

/** Defines the tests for a kind of platform. */
export async function revocationTests(
  options: EmulatorOptions,
  expected: Record<CredentialName, Outcome>,
): Promise<void> {
  const names = Object.keys(CREDENTIALS) as CredentialName[];
  // An own scope each, and so an own entry in every cache.
  const audienceOf = (name: string) => `https://${name.toLowerCase()}.example`;
  const emulator = await emulated({ audiences: names.map(audienceOf), ...options });
  const agentWith = (name: CredentialName) => {
    const credential = CREDENTIALS[name]();
    return new FoundryAgent({
      scope: `${audienceOf(name)}/.default`,
      session: { availableTools: [] },
      ...(credential === undefined ? {} : { credential }),
    });
  };

  test.each(names)("a revoked token, credential %s", async (name) => {
    await using agent = agentWith(name);
    await agent.chat("Warm up");
    const before = { ...emulator.counts };
    emulator.revokeTokens();
    const turn = agent.chat("Revoked?");
    const [outcome, requests] = expected[name];
    if (outcome === "served") expect(await turn).toContain("Revoked?");
    else await expect(turn).rejects.toMatchObject({ code: "model/token-invalid" });
    expect(emulator.counts.identity - before.identity).toBe(requests);
    expect(emulator.counts.unauthorized - before.unauthorized).toBeGreaterThan(0);
  });

  test("a role takes effect without a new token", async () => {
    const fresh = await emulated({ roles: ["Owner"], ...options });
    await using agent = new FoundryAgent({ credential: "direct", session: { availableTools: [] } });
    await expect(agent.chat("No role")).rejects.toMatchObject({ code: "model/missing-role" });
    const { identity } = fresh.counts;
    fresh.foundry.setRoles(["Foundry User"]);
    expect(await agent.chat("Assigned")).toContain("Assigned");
    expect(fresh.counts.identity).toBe(identity);
    fresh.foundry.setRoles([]);
    await expect(agent.chat("Removed")).rejects.toMatchObject({ code: "model/missing-role" });
  });
}
