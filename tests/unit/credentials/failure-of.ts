import { inspect } from "node:util";
import type { KeylessError } from "copilot-keyless";
import { createDirectCredential, type DirectCredentialOptions } from "copilot-keyless/direct";
import { expect } from "vitest";

/**
 * Returns the error of a direct credential that gets no token. None of the secrets, and no token,
 * may be in what can be seen of it.
 */
export async function failureOf(
  options: DirectCredentialOptions,
  scope: string,
  secrets: readonly (string | undefined)[],
): Promise<KeylessError> {
  const error = await createDirectCredential(options)
    .getToken(scope)
    .then(
      () => expect.fail("a token came"),
      (thrown: unknown) => thrown,
    );
  const shown = `${inspect(error, { depth: 9 })}${JSON.stringify(error)}${(error as Error).stack}`;
  for (const secret of secrets) expect(shown).not.toContain(secret);
  expect(shown).not.toMatch(/eyJ/);
  return error as KeylessError;
}
