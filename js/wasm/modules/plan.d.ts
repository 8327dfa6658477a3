// The surface of crates/wasm/src/plan.rs, written by hand. The build puts wasm-pack's module beside it.

import type { Diagnosis, RoleAssignment } from "../diagnosis.js";
import type { TokenAnswer, TokenCall, TokenRequest, TokenVerdict } from "../identity.js";
import type { ProbeCall, ProbeRequest } from "../probe.js";
import type {
  Endpoint,
  NamedProviderRequest,
  PlannedModel,
  ProviderPlan,
  ProviderRequest,
} from "../provider.js";
import type { RefreshScenario, RefreshTimeline } from "../simulation.js";
import type { Challenge, TokenDescription } from "../token.js";

export function initSync(options: { module: Uint8Array }): void;

/** Each of these throws a `CoreError` of core.d.ts. */
export function parseEndpoint(input: string, options: unknown): Endpoint;
export function planProvider(request: ProviderRequest): ProviderPlan;
export function planProbe(request: ProbeRequest, timeoutMs: number | undefined): ProbeCall;
export function planChat(request: ProbeRequest, prompt: string, timeoutMs: number | undefined): ProbeCall;
/** `taken` are the names of the providers before it. */
export function planModels(request: NamedProviderRequest, taken: string[]): PlannedModel[];
export function planTokenRequest(request: TokenRequest): TokenCall;
export function judgeTokenAnswer(answer: TokenAnswer): TokenVerdict;
/** What to do about a refusal of Entra whose number stands in the message. */
export function adviceOn(message: string): string | undefined;
export function simulateRefresh(scenario: RefreshScenario): RefreshTimeline;

export function diagnose(failure: PlainFailure): Diagnosis;
export function checkToken(attempt: PlainFailure): Diagnosis | undefined;
export function roleAssignment(attempt: PlainFailure): RoleAssignment;
export function judgeProbe(outcome: PlainFailure): Diagnosis;

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
}

/**
 * How long a `Retry-After`, seconds or a date, asks to wait. A date counts from `date`, the answer's own `Date`; where that is empty, from
 * `now`, in epoch milliseconds.
 */
export function retryAfterMs(value: string, date: string, now: number): number | undefined;

export function parseChallenge(wwwAuthenticate: string): Challenge;

export function decodeToken(token: string): TokenDescription;

/** What to do next in the life of a conversation; `src/conversation.rs` says what each is. */
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

/** What came of an action. */
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

/** Whether the conversation shall end, and its history with it. */
export type ConversationClose = "no" | "keep" | "delete";

export class Lifecycle {
  /** `resumed`: the conversation takes up an earlier session. */
  constructor(resumed: boolean);
  /** `turn`: the number of the turn that waits. */
  next(outcome: ConversationOutcome, turn: number | undefined, close: ConversationClose): ConversationAction;
  free(): void;
}
