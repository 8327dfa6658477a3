// The bindings of crates/wasm/src/plan.rs, written by hand. The build adds wasm-pack's module.

import type { CredentialDiagnosis } from "../types/credential-diagnosis.js";
import type { Diagnosis, RoleAssignment } from "../types/diagnosis.js";
import type { TokenAnswer, TokenCall, TokenRequest, TokenVerdict } from "../types/identity.js";
import type { ProbeCall, ProbeRequest } from "../types/probe.js";
import type {
  Endpoint,
  NamedProviderRequest,
  PlannedModel,
  ProviderPlan,
  ProviderRequest,
} from "../types/provider.js";
import type { RefreshScenario, RefreshTimeline } from "../types/simulation.js";
import type { Challenge, TokenDescription } from "../types/token.js";

export function initSync(options: { module: Uint8Array }): void;

/** These functions throw a `CoreError` of core.d.ts. */
export function parseEndpoint(input: string, options: unknown): Endpoint;
export function checkHeaders(headers: Record<string, string>): void;
export function planProvider(request: ProviderRequest): ProviderPlan;
export function planProbe(request: ProbeRequest, timeoutMs: number | undefined): ProbeCall;
export function planChat(request: ProbeRequest, prompt: string, timeoutMs: number | undefined): ProbeCall;
/** Returns how long a model may send nothing of a reply, in milliseconds. */
export function firstByteTimeoutMs(model: string, effort: string | undefined): number;
/** `taken`: the names of the preceding providers. */
export function planModels(request: NamedProviderRequest, taken: string[]): PlannedModel[];
export function planTokenRequest(request: TokenRequest): TokenCall;
export function judgeTokenAnswer(answer: TokenAnswer): TokenVerdict;
/**
 * Whether the direct credential finds the managed identity at which the default credential ends.
 * `arcAgent`: whether the agent of Azure Arc is installed.
 */
export function hasDirectFallback(env: Record<string, string>, arcAgent: boolean): boolean;
/** The codes of errors that a credential throws. */
export type CredentialCode =
  | "credential/throttled"
  | "credential/server-error"
  | "credential/refused"
  | "credential/network"
  | "credential/unavailable"
  | "credential/failed";

/** Returns the code for what an error of a credential shows of its cause. */
export function credentialCode(
  status: number | undefined,
  unreadable: boolean,
  network: boolean,
  unavailable: boolean,
): CredentialCode;

/** Whether a caller that gets no token with this code should give up instead of asking again. */
export function isFinal(code: string): boolean;

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

/** Returns the longest pause that counts when an identity endpoint asks for one, in milliseconds. */
export function maxRetryAfterMs(): number;

export function simulateRefresh(scenario: RefreshScenario): RefreshTimeline;

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
}

/**
 * Parses a `Retry-After` of seconds or a date. A date counts from `date`, the `Date` of the
 * response; if that is empty, from `now`, in epoch milliseconds.
 */
export function retryAfterMs(value: string, date: string, now: number): number | undefined;

export function parseChallenge(wwwAuthenticate: string): Challenge;

export function decodeToken(token: string): TokenDescription;

/** The next step of a conversation. `src/conversation.rs` describes each. */
export type ConversationAction =
  | "rest"
  | "lease"
  | "check"
  | "open"
  | "send"
  | "settle"
  | "detach"
  | "delete"
  | "release"
  | "discard"
  | "fail"
  | "end";

/** The outcome of a {@link ConversationAction}. */
export type ConversationOutcome =
  | "woken"
  | "leased"
  | "alive"
  | "worn"
  | "opened"
  | "refused"
  | "finished"
  | "unsettled"
  | "restless"
  | "gone"
  | "dead"
  | "detached"
  | "deleted"
  | "released";

/** Whether the conversation ends, and whether its history is kept. */
export type ConversationClose = "no" | "idle" | "keep" | "delete";

export class Lifecycle {
  /** `resumed`: the conversation resumes an earlier session. */
  constructor(resumed: boolean);
  /** `turn`: the number of the waiting turn. */
  next(outcome: ConversationOutcome, turn: number | undefined, close: ConversationClose): ConversationAction;
  free(): void;
}
