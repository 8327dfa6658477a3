// Reads the secrets of token requests.

import { KeylessError } from "../errors/keyless-error.js";
import type { Clock } from "../platform/clock.js";
import type { Environment } from "../platform/environment.js";
import type { SecretPlace } from "../wasm/types/identity.js";

/** The secrets that the program supplies itself. */
interface OwnSecrets {
  assertion?: (() => string | Promise<string>) | undefined;
  clientSecret?: string | undefined;
}

/** Returns the secret of a request, or an empty string if it needs none. */
export async function secretOf(
  secret: SecretPlace | undefined,
  env: Environment,
  { assertion, clientSecret }: OwnSecrets,
): Promise<string> {
  if (!secret) return "";
  const value = String((secret.variable && env[secret.variable]) ?? "").trim();
  const secretText = await {
    "x-identity-header": () => value,
    secret: () => value,
    authorization: () => value,
    client_secret: () => clientSecret ?? value,
    client_assertion: () => (assertion ? assertion() : readTokenFile(value)),
  }[secret.name]();
  const text = typeof secretText === "string" ? secretText.trim() : "";
  // Not shown in the error: it may be almost the right secret.
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new KeylessError(
    "credential/configuration",
    `${secretPlace(secret)} ${text === "" ? "is blank" : "contains white space or characters beyond ASCII"}`,
    { hint: "Look for a line break or a quote in it." },
  );
}

/** Names the place of a secret, never its value. */
function secretPlace({ name, variable }: SecretPlace): string {
  if (variable === "AZURE_FEDERATED_TOKEN_FILE") return `The file of ${variable}`;
  return variable ?? (name === "client_secret" ? "clientSecret" : "The result of assertion()");
}

/**
 * Rejects if a secret does not arrive within `ms`: the program's own assertion function may hang.
 */
export async function withSecretDeadline(
  secret: Promise<string>,
  ms: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<string> {
  let cleanUp = () => {};
  const timeout = new Promise<never>((_resolve, reject) => {
    const timer = clock.setTimeout(() => {
      const message = `assertion() did not return within ${Math.round(ms)} ms`;
      reject(new KeylessError("credential/failed", message, { hint: "Check what it waits for." }));
    }, ms);
    const onAbort = () => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort);
    cleanUp = () => {
      clock.clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    if (signal?.aborted) onAbort();
  });
  try {
    return await Promise.race([secret, timeout]);
  } finally {
    cleanUp();
  }
}

/** Reads the federated token. Its file is renewed every few minutes. */
function readTokenFile(path: string): string {
  const fs = globalThis.process?.getBuiltinModule?.("node:fs");
  if (!fs) {
    throw new KeylessError(
      "credential/configuration",
      "AZURE_FEDERATED_TOKEN_FILE cannot be read: this platform has no files",
      {
        hint: "Pass the assertion option, a function that returns the federated token.",
      },
    );
  }
  try {
    return fs.readFileSync(path, "utf8");
  } catch (cause) {
    // A value that is no path may be the token itself: do not show it.
    const isPath = /^(\/|\.|[a-z]:[\\/])[ -~]*$/i.test(path);
    throw new KeylessError(
      "credential/configuration",
      `AZURE_FEDERATED_TOKEN_FILE cannot be read${isPath ? `: ${path}` : ": its value is not a file path"}`,
      {
        hint: 'Kubernetes mounts it into pods with the label azure.workload.identity/use: "true".',
        ...(isPath ? { cause } : {}),
      },
    );
  }
}
