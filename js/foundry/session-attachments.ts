import type { CopilotSession, MessageOptions } from "@github/copilot-sdk";
import { KeylessError } from "../errors/keyless-error.js";
import { diagnose } from "../model/diagnose.js";
import { diagnosisError } from "../model/model-error.js";
import { rejectedTokenFromCache, withinTurn } from "../tokens/provider.js";
import { TurnWait } from "../tokens/turn-wait.js";
import type { TokenProvider } from "../tokens/types.js";
import type { FailedRequest } from "../wasm/types/diagnosis.js";
import type { Endpoint } from "../wasm/types/provider.js";
import { SessionMap } from "./session-map.js";

/** The part of the SDK's `model.call_failure` event that this package reads. */
export interface ModelCallFailure {
  data: { statusCode?: number | undefined; errorMessage?: string | undefined; model?: string | undefined };
  /** The sub-agent that made the request. */
  agentId?: string | undefined;
}

/** Receives every failed request of a session. */
export type FailureListener = (error: KeylessError, event: ModelCallFailure) => void;

/** The state of a session that a provider is attached to. */
interface AttachedSession {
  /** The last token that the session received: the one that a 401 rejects. */
  token: string;
  /** Why the session received no token the last time. */
  tokenError: KeylessError | undefined;
  /**
   * Whether that error was answered in the resource's place, so that the status is not the
   * resource's.
   */
  tokenErrorAnswered: boolean;
  /** Why the last request failed. */
  failure: KeylessError | undefined;
  /** The token that was rejected, if no request has succeeded since. */
  rejectedToken: string | undefined;
  /** The token that was rejected twice in a row. It is not tried again in this turn. */
  twiceRejectedToken: string | undefined;
  /** The wait of its turn for a token. */
  readonly wait: TurnWait;
  attachments: number;
}

/** One call of `attach`. */
interface Attachment {
  state: AttachedSession;
  /** The message of the `session.error` event that ended the turn. */
  endMessage: string | undefined;
}

/** What all requests of a provider have in common. */
type RequestContext = Pick<FailedRequest, "deployment" | "wireApi"> & {
  endpoint: Endpoint;
  /** The name of the model, which the runtime's events use. */
  model: string;
};

/** The attached sessions that use a token provider. */
const attachedTo = new WeakMap<TokenProvider, SessionMap<AttachedSession>>();

/**
 * Notes that a request of a session got no token and was answered with the error in the resource's
 * place.
 */
export function noteTokenError(
  tokens: TokenProvider,
  sessionId: string | undefined,
  error: KeylessError,
): void {
  const state = attachedTo.get(tokens)?.get(sessionId);
  if (state) Object.assign(state, { tokenError: error, tokenErrorAnswered: true });
}

/**
 * Attaches one provider to sessions: invalidates tokens that the resource rejects, and explains
 * failed requests.
 */
export class SessionAttachments {
  readonly #sessions: SessionMap<AttachedSession>;
  readonly #tokens: TokenProvider;
  readonly #context: RequestContext;
  /** The last static token. */
  #staticToken = "";

  constructor(tokens: TokenProvider, context: RequestContext) {
    this.#tokens = tokens;
    this.#context = context;
    this.#sessions = attachedTo.get(tokens) ?? new SessionMap();
    attachedTo.set(tokens, this.#sessions);
  }

  /** Acquires a token for a session, and notes the token or the error. */
  async tokenFor(sessionId: string | undefined, acquire: () => Promise<string>): Promise<string> {
    const state = this.#sessions.get(sessionId);
    try {
      const token = await withinTurn(state?.wait, this.#tokens, () =>
        this.#acquireOrRetry(acquire, state?.twiceRejectedToken),
      );
      if (state) Object.assign(state, { token, tokenError: undefined, tokenErrorAnswered: false });
      return token;
    } catch (error) {
      const tokenError = error instanceof KeylessError ? error : undefined;
      if (state) Object.assign(state, { tokenError, tokenErrorAnswered: false });
      throw error;
    }
  }

  /**
   * Falls back to a rejected token once: a credential with its own cache may have no other, and
   * only one more request can tell whether the resource still rejects it.
   */
  async #acquireOrRetry(acquire: () => Promise<string>, except: string | undefined): Promise<string> {
    try {
      return await acquire();
    } catch (error) {
      const isRejected = error instanceof KeylessError && error.code === "token/rejected-again";
      const token = isRejected ? rejectedTokenFromCache(this.#tokens) : undefined;
      if (token === undefined || token === except) throw error;
      return token;
    }
  }

  /** Notes a static token: of a session, or of the session that is attached next. */
  noteStaticToken(token: string | undefined, sessionId?: string): void {
    const state = this.#sessions.get(sessionId);
    if (state) state.token = token ?? "";
    else this.#staticToken = token ?? "";
  }

  explain(failure: ModelCallFailure["data"], sessionId?: string): KeylessError {
    return this.#diagnose(failure, this.#sessions.get(sessionId)).error;
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
    const state = this.#sessions.enter(session, () => ({
      token: this.#staticToken,
      tokenError: undefined,
      tokenErrorAnswered: false,
      failure: undefined,
      rejectedToken: undefined,
      twiceRejectedToken: undefined,
      wait: new TurnWait(),
      attachments: 0,
    }));
    state.attachments += 1;
    const attachment: Attachment = { state, endMessage: undefined };
    /** The names of the running sub-agents by their ids. */
    const agents = new Map<string, string>();
    let isAttached = true;
    const detach = () => {
      if (!isAttached) return;
      isAttached = false;
      for (const undo of undoing) undo();
      state.attachments -= 1;
      if (state.attachments === 0) this.#sessions.leave(session);
    };
    const undoing = [
      explainSendAndWait(session, attachment),
      session.on("model.call_failure", (event) => {
        if (!concerns(event.data)) return;
        const agent = event.agentId && (agents.get(event.agentId) ?? event.agentId);
        const { error, tokenRejected } = this.#diagnose(event.data, state, agent);
        // Sub-agents report to their parent agent: their failures do not decide the turn.
        if (event.agentId === undefined) state.failure = error;
        if (tokenRejected && state.token) {
          if (state.token === state.rejectedToken) state.twiceRejectedToken = state.token;
          state.rejectedToken = state.token;
          this.#tokens.invalidate(state.token);
        }
        onFailure(error, event);
      }),
      session.on("subagent.started", ({ agentId, data }) => {
        if (agentId !== undefined) agents.set(agentId, data.agentName);
      }),
      session.on("subagent.completed", ({ agentId }) => {
        if (agentId !== undefined) agents.delete(agentId);
      }),
      session.on("subagent.failed", ({ agentId }) => {
        if (agentId !== undefined) agents.delete(agentId);
      }),
      session.on("user.message", ({ agentId }) => {
        if (agentId !== undefined) return;
        // In a new turn the resource may accept the token again.
        state.twiceRejectedToken = undefined;
        state.wait.reset();
      }),
      session.on("assistant.message", ({ agentId }) => {
        state.rejectedToken = undefined;
        if (agentId === undefined) state.failure = undefined;
      }),
      session.on("session.error", ({ data }) => {
        attachment.endMessage = data.message;
      }),
      session.on("session.shutdown", ({ agentId }) => {
        if (agentId === undefined) detach();
      }),
    ];
    return detach;
  }

  #diagnose(
    { statusCode: status, errorMessage, model }: ModelCallFailure["data"],
    state: AttachedSession | undefined,
    agent?: string | undefined,
  ): { error: KeylessError; tokenRejected: boolean } {
    // Without a status nothing was sent. If there was no token, the runtime only repeats that
    // error.
    if (state?.tokenError && (status === undefined || state.tokenErrorAnswered)) {
      const { tokenError, failure } = state;
      // The reason for the rejection says more than the fact that the same token came again.
      const error = tokenError.code === "token/rejected-again" ? (failure ?? tokenError) : tokenError;
      return { error, tokenRejected: false };
    }
    const { model: own, ...context } = this.#context;
    const failed: FailedRequest = {
      ...context,
      // The runtime may choose another model for a sub-agent, by the model's name.
      ...(agent && model && model !== own && model !== context.deployment
        ? { agent, deployment: model.slice(model.lastIndexOf("/") + 1) }
        : {}),
      status: status ?? 0,
      body: errorMessage,
      token: state?.token || undefined,
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

/** A `sendAndWait` that replaces a session's own, and the attachments that share it. */
interface ReplacedSendAndWait {
  attachments: Set<Attachment>;
  restore: () => void;
}

const replaced = new WeakMap<CopilotSession["sendAndWait"], ReplacedSendAndWait>();

/**
 * Makes `session.sendAndWait` reject with the diagnosed error. No event or hook of the SDK can:
 * `sendAndWait` creates its error itself, from the message of the `session.error` event, and
 * `onErrorOccurred` cannot change it. All attachments of a session share one replacement, so that
 * they can detach in any order.
 */
function explainSendAndWait(session: CopilotSession, attachment: Attachment): () => void {
  const { attachments, restore } = replaced.get(session.sendAndWait) ?? replaceSendAndWait(session);
  attachments.add(attachment);
  return () => {
    attachments.delete(attachment);
    if (attachments.size === 0) restore();
  };
}

function replaceSendAndWait(session: CopilotSession): ReplacedSendAndWait {
  const original = session.sendAndWait;
  const isOwn = Object.hasOwn(session, "sendAndWait");
  const attachments = new Set<Attachment>();
  const sendAndWait: typeof original = async (prompt, timeout) => {
    for (const attachment of attachments) startTurn(attachment);
    try {
      return await original.call(session, prompt as MessageOptions, timeout);
    } catch (cause) {
      // Other errors, such as that of the caller's timeout, are clear as they are.
      const message = cause instanceof Error ? cause.message : undefined;
      const ended = [...attachments].filter(
        ({ endMessage }) => endMessage !== undefined && endMessage === message,
      );
      const failure = ended.findLast(({ state }) => state.failure)?.state.failure;
      if (!failure) throw cause;
      const { code, message: text, hint, status, retryAfterMs, retryable } = failure;
      throw new KeylessError(code, text, { hint, status, retryAfterMs, retryable, cause });
    }
  };
  session.sendAndWait = sendAndWait;
  const restore = () => {
    // A wrapper that another library put around it stays; without attachments this function changes
    // nothing.
    if (session.sendAndWait !== sendAndWait) return;
    if (isOwn) session.sendAndWait = original;
    else Reflect.deleteProperty(session, "sendAndWait");
  };
  const replacement = { attachments, restore };
  replaced.set(sendAndWait, replacement);
  return replacement;
}

function startTurn(attachment: Attachment): void {
  attachment.endMessage = undefined;
  attachment.state.failure = undefined;
}
