import {
  decodeToken,
  type ErrorSummary,
  type FoundryProvider,
  KeylessError,
  type Notice,
} from "copilot-keyless";
import { createDirectCredential } from "copilot-keyless/direct";
import { shortPrincipal } from "./principal.js";

/** The deadline of the direct credential, in milliseconds. */
const TIMEOUT_MS = 5_000;

const USE_DIRECT = 'Use it: credential: "direct".';

/** What the default and the direct credential have in common, or a warning. */
interface Comparison {
  detail?: string;
  warning?: Notice;
}

/**
 * Compares the default credential of a managed identity with the direct one. Returns nothing for
 * other credentials, and on hosts that the direct one does not support.
 *
 * @param token of the default credential, or of the direct one that took over
 * @param failure of the default credential
 */
export async function compareWithDirect(
  provider: FoundryProvider,
  token: string,
  failure: ErrorSummary | undefined,
  signal: AbortSignal,
): Promise<Comparison> {
  if (failure) {
    return warning(
      "default-credential-failed",
      `@azure/identity failed (${failure.message}), and the direct credential got a token of the same identity. ${USE_DIRECT}`,
    );
  }
  const direct = await directToken(provider, signal);
  if (direct === undefined) return {};
  if (direct instanceof KeylessError) {
    return warning(
      "direct-credential-failed",
      `The direct credential got no token, unlike @azure/identity: ${direct.message}`,
    );
  }
  const about = decodeToken(direct);
  if (about.objectId === decodeToken(token).objectId) return { detail: "the direct credential agrees" };
  return warning(
    "credentials-differ",
    `The direct credential gets the token of another identity: ${shortPrincipal(about)}`,
  );
}

/** Returns the error of the default credential, with the way out if the direct one succeeds. */
export async function explainFailure(
  provider: FoundryProvider,
  thrown: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  if (!(thrown instanceof KeylessError) || typeof (await directToken(provider, signal)) !== "string")
    return thrown;
  const { code, message, hint, status } = thrown;
  // In the message: the report replaces the hint by commands of its own.
  const comparison = `The direct credential gets a token of this identity, so the fault is in @azure/identity or its request. ${USE_DIRECT}`;
  return new KeylessError(code, `${comparison} ${message}`, { hint, status, cause: thrown });
}

/** Returns the token of the direct credential, its error, or `undefined` if it does not apply. */
async function directToken(
  { credential, scope }: FoundryProvider,
  abortSignal: AbortSignal,
): Promise<string | KeylessError | undefined> {
  if (credential.kind !== "managed-identity" || scope === undefined) return undefined;
  const { authorityHost } = credential;
  const direct = createDirectCredential({ timeoutMs: TIMEOUT_MS, authorityHost });
  try {
    return (await direct.getToken(scope, { abortSignal }))?.token;
  } catch (error) {
    // With this code it does not support the host.
    return error instanceof KeylessError && error.code !== "credential/configuration" ? error : undefined;
  }
}

function warning(code: string, message: string): Comparison {
  return { warning: { code, message } };
}
