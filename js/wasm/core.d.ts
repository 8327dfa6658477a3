// The surface of src/wasm.rs, written by hand. The build puts wasm-pack's module beside it.

import type { ProviderPlan, ProviderRequest } from "../plan.js";
import type { NamedProviderRequest, PlannedModel } from "../plan-models.js";
import type { ProbeCall, ProbeRequest } from "../probe-call.js";
import type { RefreshScenario, RefreshTimeline } from "../simulate.js";
import type { TokenAnswer, TokenCall, TokenRequest, TokenVerdict } from "../token-request.js";
import type {
  AccessToken,
  Challenge,
  Diagnosis,
  Endpoint,
  RefreshPolicy,
  RoleAssignment,
  TokenDescription,
  TokenStatus,
} from "../types.js";

export function initSync(options: { module: Uint8Array }): void;

export interface CoreError {
  code: string;
  message: string;
  hint?: string;
}

/** Each of these throws a {@link CoreError}. */
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
export function parseTokenResponseText(json: string, requestedAt: number, zone: Zone): AccessToken;
export function parseTokenResponseObject(object: unknown, requestedAt: number, zone: Zone): AccessToken;

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

export function parseChallenge(wwwAuthenticate: string): Challenge;

export function decodeToken(token: string): TokenDescription;

/** The offset, in minutes east of UTC, that held at a local time given as if it were UTC. */
export type Zone = (localMs: number) => number | undefined;

export interface FlightStart {
  flight: number;
  timeoutMs: number;
}

export type Decision =
  | { do: "use"; phase: "fresh" | "due"; untilWall: number; untilMono: number; start?: FlightStart }
  | { do: "wait"; flight: number; timeoutMs: number; start: boolean }
  | { do: "refuse"; retryAfterMs: number }
  | { do: "closed" };

export type Outcome =
  | { result: "accepted" | "unchanged" | "failed" | "ignored" }
  | { result: "retry"; detail: { afterMs: number } }
  | { result: "refused"; detail: CoreError };

/** Times in milliseconds: `wall` since the epoch, `mono` since some fixed point. */
export class Schedule {
  /** Throws a {@link CoreError}. */
  constructor(policy: Partial<RefreshPolicy>);
  request(wall: number, mono: number): Decision;
  wake(wall: number, mono: number): FlightStart | undefined;
  nextWake(wall: number, mono: number): number | undefined;
  acquired(
    flight: number,
    requestedWall: number,
    requestedMono: number,
    expiresOn: number,
    refreshAfter: number | undefined,
    wall: number,
    mono: number,
    random: number,
  ): Outcome;
  failed(
    flight: number,
    status: number | undefined,
    unavailable: boolean,
    retryAfterMs: number | undefined,
    wall: number,
    mono: number,
    random: number,
  ): Outcome;
  timedOut(flight: number, wall: number, mono: number, random: number): Outcome;
  rejectedAgain(flight: number, wall: number, mono: number, random: number): Outcome;
  invalidate(wall: number, mono: number): boolean;
  challenged(wall: number, mono: number): boolean;
  close(): void;
  status(wall: number, mono: number): Omit<TokenStatus, "lastError">;
}
