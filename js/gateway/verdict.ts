import type { KeylessError } from "../errors/keyless-error.js";
import { diagnose } from "../model/diagnose.js";
import { diagnosisError } from "../model/model-error.js";
import { parseChallenge } from "../tokens/parse.js";
import { gatewayModule } from "../wasm/gateway-bindings.js";
import type { Verdict } from "../wasm/modules/gateway.js";
import type { Endpoint } from "../wasm/types/provider.js";

/** How much of the body of an error is read. Azure's are smaller than 4 KiB. */
export const MAX_ERROR_BYTES = 64 * 1024;

/** Says that an answer cannot be passed on for its status, as the network's message. */
export const UNREADABLE_STATUS = "the answer cannot be read: its status is no final one";

/** What is known of a request. */
export interface RequestFacts {
  isTurn: boolean;
  repeatable: boolean;
  repeated: boolean;
  token: string | undefined;
}

/** An answer that is no success. */
export interface FailedAnswer {
  status: number;
  headers: Iterable<readonly [name: string, value: string]>;
  /** The start of its body, decompressed. */
  body: string;
  /** Its `WWW-Authenticate`. */
  challenge: string | null | undefined;
}

/** What to do with an answer that is no success. */
export interface Judgement {
  verdict: Verdict;
  /** The claims that the resource asks for, for the verdict `challenge`. */
  claims?: string | undefined;
  /** The explanation. */
  error: KeylessError;
}

/** Decides what to do with an answer that is no success. */
export function judgeFailure(
  { endpoint }: { endpoint: Endpoint },
  { status, headers, body, challenge }: FailedAnswer,
  { isTurn, repeatable, repeated, token }: RequestFacts,
): Judgement {
  const diagnosis = diagnose({ endpoint, status, headers, body, token });
  const claims = status === 401 ? parseChallenge(challenge).claims : undefined;
  const verdict = gatewayModule().judge(
    status,
    diagnosis.code,
    diagnosis.tokenRejected,
    claims !== undefined,
    isTurn,
    repeatable,
    repeated,
  );
  return { verdict, claims, error: diagnosisError(diagnosis) };
}

/** Explains why the resource did not answer at all. */
export function networkError({ endpoint }: { endpoint: Endpoint }, message: string): KeylessError {
  return diagnosisError(diagnose({ endpoint, status: 0, body: message }));
}

/**
 * The status for a client that gets no token: 400 if it should not ask again, because it would hide
 * the message of a 401 and repeat a 503.
 */
export function statusOfTokenError({ retryable }: KeylessError): number {
  return retryable ? 503 : 400;
}
