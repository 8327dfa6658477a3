import type { CopilotSession } from "@github/copilot-sdk";
import { KeylessError } from "../errors/keyless-error.js";
import { diagnose } from "../model/diagnose.js";
import { diagnosisError } from "../model/model-error.js";
import { isCurrentToken, withinTurn } from "../tokens/provider.js";
import type { TurnTokens } from "../tokens/turn-tokens.js";
import type { TokenProvider } from "../tokens/types.js";
import type { FailedRequest } from "../wasm/types/diagnosis.js";
import type { Endpoint } from "../wasm/types/provider.js";
import { SessionMap } from "./session-map.js";
import { SessionTurn } from "./session-turn.js";

/** The part of the SDK's `model.call_failure` event that this package reads. */
export interface ModelCallFailure {
  data: { statusCode?: number | undefined; errorMessage?: string | undefined; model?: string | undefined };
  /** The sub-agent that made the request. */
  agentId?: string | undefined;
}

/** Receives every failed request of a session. */
export type FailureListener = (error: KeylessError, event: ModelCallFailure) => void;

/** A provider that is attached to a session. */
interface Member {
  provider: SessionAttachments;
  turn: SessionTurn;
  tokens: TurnTokens;
  attachments: number;
  /** The last failure, which each attachment reports. */
  failed?: { event: ModelCallFailure; error: KeylessError };
}

/** What all requests of a provider have in common. */
type RequestContext = Pick<FailedRequest, "deployment" | "wireApi"> & {
  endpoint: Endpoint;
  /** The name of the model, which the runtime's events use. */
  model: string;
};

/** The sessions that use a token provider, each with the providers that are attached to it. */
const attachedTo = new WeakMap<TokenProvider, SessionMap<Member[]>>();

/**
 * Notes that a request of a session got no token and was answered with the error in the resource's
 * place.
 */
export function noteTokenError(
  tokens: TokenProvider,
  sessionId: string | undefined,
  error: KeylessError,
): void {
  for (const member of attachedTo.get(tokens)?.get(sessionId) ?? []) member.tokens.answer(error);
}

/** Whether a provider's token was sent: its current one, or the last that the session received. */
export function wasSent(tokens: TokenProvider, sessionId: string | undefined, token: string): boolean {
  const members = attachedTo.get(tokens)?.get(sessionId) ?? [];
  return isCurrentToken(tokens, token) || members.some(({ tokens }) => tokens.sent === token);
}

/**
 * Attaches one provider to sessions: invalidates tokens that the resource rejects, and explains
 * failed requests.
 */
export class SessionAttachments {
  readonly #sessions: SessionMap<Member[]>;
  readonly #tokens: TokenProvider;
  readonly #context: RequestContext;
  /** The last static token. */
  #staticToken: string | undefined;

  constructor(tokens: TokenProvider, context: RequestContext) {
    this.#tokens = tokens;
    this.#context = context;
    this.#sessions = attachedTo.get(tokens) ?? new SessionMap();
    attachedTo.set(tokens, this.#sessions);
  }

  /** Acquires a token for a session, and notes the token or the error. */
  tokenFor(sessionId: string | undefined, acquire: () => Promise<string>): Promise<string> {
    return withinTurn(this.#member(sessionId)?.tokens, this.#tokens, acquire);
  }

  /** Notes a static token: of a session, or of the session that is attached next. */
  noteStaticToken(token: string | undefined, sessionId?: string): void {
    const member = this.#member(sessionId);
    if (!member) this.#staticToken = token;
    else if (token) member.tokens.give(token);
  }

  explain(failure: ModelCallFailure["data"], sessionId?: string): KeylessError {
    return this.#diagnose(failure, this.#member(sessionId)).error;
  }

  /** Of several providers of a session, the one that was asked for a token last. */
  static lastAsked(
    providers: readonly SessionAttachments[],
    sessionId: string | undefined,
  ): SessionAttachments | undefined {
    const members = providers.flatMap((one) => one.#own(sessionId) ?? []);
    const numbers = Uint32Array.from(members, ({ tokens }) => tokens.member);
    const last = members[0]?.turn.rules.lastAsked(numbers);
    return members.find(({ tokens }) => tokens.member === last)?.provider;
  }

  /**
   * Attaches to a session. `concerns` selects the failures that are this provider's. Returns the
   * function that detaches.
   */
  attach(
    session: CopilotSession,
    onFailure: FailureListener,
    concerns: (failure: ModelCallFailure["data"]) => boolean = () => true,
  ): () => void {
    const turn = SessionTurn.enter(session);
    const members = this.#sessions.enter(session, () => []);
    const member = members.find(({ provider }) => provider === this) ?? this.#join(members, turn);
    member.attachments += 1;
    let isAttached = true;
    const detach = () => {
      if (!isAttached) return;
      isAttached = false;
      for (const undo of undoing) undo();
      member.attachments -= 1;
      if (member.attachments === 0) members.splice(members.indexOf(member), 1);
      if (members.length === 0) this.#sessions.leave(session);
      turn.leave();
    };
    const undoing = [
      session.on("model.call_failure", (event) => {
        if (!concerns(event.data)) return;
        if (member.failed?.event !== event) member.failed = { event, error: this.#note(event, member) };
        onFailure(member.failed.error, event);
      }),
      session.on("session.shutdown", ({ agentId }) => {
        if (agentId === undefined) detach();
      }),
    ];
    return detach;
  }

  #join(members: Member[], turn: SessionTurn): Member {
    const tokens = turn.join(this);
    if (this.#staticToken) tokens.give(this.#staticToken);
    const member = { provider: this, turn, tokens, attachments: 0 };
    members.push(member);
    return member;
  }

  /** The provider in a session; another one of the same tokens if only that is attached. */
  #member(sessionId: string | undefined): Member | undefined {
    return this.#own(sessionId) ?? this.#sessions.get(sessionId)?.[0];
  }

  #own(sessionId: string | undefined): Member | undefined {
    return this.#sessions.get(sessionId)?.find(({ provider }) => provider === this);
  }

  #note({ agentId, data }: ModelCallFailure, member: Member): KeylessError {
    const { turn, tokens } = member;
    const { error, tokenRejected } = this.#diagnose(data, member, turn.agent(agentId));
    if (agentId === undefined) turn.failure = error;
    const rejected = tokens.failed(agentId !== undefined, tokenRejected);
    if (rejected !== undefined) this.#tokens.invalidate(rejected);
    return error;
  }

  #diagnose(
    { statusCode: status, errorMessage, model }: ModelCallFailure["data"],
    member: Member | undefined,
    agent?: string | undefined,
  ): { error: KeylessError; tokenRejected: boolean } {
    const reason = member?.tokens.reason(status ?? 0);
    const known = { request: undefined, token: member?.tokens.error, failure: member?.turn.failure };
    const repeated = reason && known[reason];
    if (repeated) return { error: repeated, tokenRejected: false };
    const { model: own, ...context } = this.#context;
    const failed: FailedRequest = {
      ...context,
      // The runtime may choose another model for a sub-agent, by the model's name.
      ...(agent && model && model !== own && model !== context.deployment
        ? { agent, deployment: model.slice(model.lastIndexOf("/") + 1) }
        : {}),
      status: status ?? 0,
      body: errorMessage,
      token: member?.tokens.sent,
    };
    try {
      const diagnosis = diagnose(failed);
      return { error: diagnosisError(diagnosis), tokenRejected: diagnosis.tokenRejected };
    } catch (error) {
      // The module that explains it could not be loaded.
      if (error instanceof KeylessError) return { error, tokenRejected: false };
      throw error;
    }
  }
}
