// The bindings of crates/wasm/src/plan.rs, conversation.rs and turn.rs, written by hand. The build adds wasm-pack's module.

import type { TokenCall, TokenRequest } from "../types/identity.js";
import type { ProbeCall, ProbeRequest } from "../types/probe.js";
import type {
  Endpoint,
  NamedProviderRequest,
  PlannedModel,
  ProviderPlan,
  ProviderRequest,
} from "../types/provider.js";

export function initSync(options: { module: Uint8Array }): void;

/**
 * These functions, `planTokenRequest` and `hosting` throw a `CoreError` of core.d.ts whose texts are
 * empty. explain.d.ts has the same functions, whose errors have texts.
 */
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
/**
 * Whether the direct credential finds the managed identity at which the default credential ends.
 * `arcAgent`: whether the agent of Azure Arc is installed.
 */
export function hasDirectFallback(env: Record<string, string>, arcAgent: boolean): boolean;

/** What the environment says about a Foundry hosted agent. */
export interface Hosting {
  /** Whether Foundry hosts this process, so that its headers can be believed. */
  hosted: boolean;
  /** The session that this container serves. */
  sessionId?: string;
  /** The agent's name, and its version after a colon. */
  agent?: string;
}
export function hosting(env: Record<string, string>): Hosting;
/** Whether a text may be the id of a session or an invocation. */
export function isSessionId(text: string): boolean;

/** Whether a caller that gets no token with this code should give up instead of asking again. */
export function isFinal(code: string): boolean;

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

/** Which error says why a request failed: that of its response, of its token, of the last failure. */
export type TurnReason = "request" | "token" | "failure";

/**
 * The rules of a session's turn. Members are providers and tokens are texts, each by a number of the
 * caller's. `src/turn.rs` describes each.
 */
export class Turn {
  constructor();
  note(event: string, byAgent: boolean): void;
  ask(member: number, wall: number, mono: number): number | undefined;
  waited(member: number, wall: number, mono: number): number;
  grant(member: number, token: number): boolean;
  give(member: number, token: number): void;
  /** Returns whether the turn ends. */
  refuse(member: number, code: string, leftMs: number | undefined): boolean;
  answer(member: number, code: string): void;
  reason(member: number, status: number): TurnReason;
  failed(member: number, byAgent: boolean, tokenRejected: boolean): number | undefined;
  hasFailed(): boolean;
  forget(): void;
  sent(member: number): number | undefined;
  lastAsked(members: Uint32Array): number | undefined;
}
