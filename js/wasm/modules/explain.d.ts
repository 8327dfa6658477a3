// The bindings of crates/wasm/src/explain.rs, written by hand. The build adds wasm-pack's module.

import type { ErrorCode } from "../../errors/codes.js";
import type { CredentialDiagnosis } from "../types/credential-diagnosis.js";
import type { Diagnosis, RoleAssignment } from "../types/diagnosis.js";
import type { TokenAnswer, TokenVerdict } from "../types/identity.js";
import type { Challenge, TokenDescription } from "../types/token.js";

export function initSync(options: { module: Uint8Array }): void;

// As in plan.d.ts, but their errors have messages and hints.
export {
  checkHeaders,
  hosting,
  parseEndpoint,
  planChat,
  planModels,
  planProbe,
  planProvider,
  planTokenRequest,
} from "./plan.js";

export function judgeTokenAnswer(answer: TokenAnswer): TokenVerdict;

/** Returns the error for callers: its code, its message, and the next step. */
export function credentialFailure(reported: ReportedError): {
  error: { code: ErrorCode; message: string; hint: string };
  /** Whether the credential cannot be used here at all. */
  unavailable: boolean;
};

/** An error that a credential threw. */
export interface ReportedError {
  /** Without secrets. */
  message: string;
  /** The names of the error and its causes. */
  names: string[];
  /** Their codes, such as `ECONNRESET`. */
  codes: string[];
  /** What the source of the token knows better. */
  code?: ErrorCode | undefined;
  hint?: string | undefined;
  failure: PlainCredentialFailure;
}

/** What a caller of an app learns about a failure of the app. */
export interface PublicError {
  status: number;
  /** Does not disclose the app's resources and roles. */
  message: string;
}

/** The failures that callers can tell apart. */
export type ProblemName =
  | "upstream"
  | "late"
  | "overloaded"
  | "unavailable"
  | "misconfigured"
  | "filtered"
  | "unknown-caller"
  | "unknown-caller-in-time"
  | "unexpected";

/** Returns what callers learn, by the code of the core or a diagnosis, or by the problem's name. */
export function problemOf(code: string): PublicError;

export function diagnose(failure: PlainFailure): Diagnosis;
export function diagnoseCredential(failure: PlainCredentialFailure): CredentialDiagnosis;
export function checkToken(attempt: PlainFailure): Diagnosis | undefined;
export function roleAssignment(attempt: PlainFailure): RoleAssignment;
export function judgeProbe(outcome: PlainFailure): Diagnosis;

export interface PlainCredentialFailure {
  /** The text of the error and of its causes. */
  error: string;
  /** The texts of the errors of a chain. */
  errors: string[];
  status?: number | undefined;
  body?: string | undefined;
  env: Record<string, string>;
}

export interface PlainFailure {
  endpoint?: string | undefined;
  options?: object;
  status: number;
  headers: Record<string, string>;
  body?: string | undefined;
  token?: string | undefined;
  now?: number | undefined;
  deployment?: string | undefined;
  wireApi?: string | undefined;
  agent?: string | undefined;
  env?: Record<string, string>;
}

/**
 * Parses a `Retry-After` of seconds or a date. A date counts from `date`, the `Date` of the
 * response; if that is empty, from `now`, in epoch milliseconds.
 */
export function retryAfterMs(value: string, date: string, now: number): number | undefined;

export function parseChallenge(wwwAuthenticate: string): Challenge;

export function decodeToken(token: string): TokenDescription;
