import type { CopilotSession, MessageOptions } from "@github/copilot-sdk";
import { KeylessError } from "../errors/keyless-error.js";
import { TurnTokens } from "../tokens/turn-tokens.js";
import { planModule } from "../wasm/bindings.js";

const turns = new WeakMap<CopilotSession, SessionTurn>();

/** The turn of a session, which the providers that are attached to it share. */
export class SessionTurn {
  readonly rules = new (planModule().Turn)();
  /** Why the last request of the main agent failed. */
  failure: KeylessError | undefined;
  /** The message of the `session.error` event that ended the turn. */
  #endMessage: string | undefined;
  /** The names of the running sub-agents by their ids. */
  readonly #agents = new Map<string, string>();
  /** Those of each provider, which it keeps when it is attached again. */
  readonly #tokens = new WeakMap<object, TurnTokens>();
  #members = 0;
  #attachments = 0;
  readonly #undoing: (() => void)[];

  private constructor(session: CopilotSession) {
    this.#undoing = [
      ...(["user.message", "assistant.message"] as const).map((type) =>
        session.on(type, ({ agentId }) => this.rules.note(type, agentId !== undefined)),
      ),
      session.on("subagent.started", ({ agentId, data }) => {
        if (agentId !== undefined) this.#agents.set(agentId, data.agentName);
      }),
      ...(["subagent.completed", "subagent.failed"] as const).map((type) =>
        session.on(type, ({ agentId = "" }) => {
          this.#agents.delete(agentId);
        }),
      ),
      session.on("session.error", ({ data }) => {
        this.#endMessage = data.message;
      }),
      this.#explainSendAndWait(session),
      () => turns.delete(session),
    ];
    turns.set(session, this);
  }

  /** The turn of a session, for one more attachment. */
  static enter(session: CopilotSession): SessionTurn {
    const turn = turns.get(session) ?? new SessionTurn(session);
    turn.#attachments += 1;
    return turn;
  }

  /** Adds a provider. */
  join(provider: object): TurnTokens {
    const known = this.#tokens.get(provider);
    if (known) return known;
    this.#members += 1;
    const tokens = new TurnTokens(this.rules, this.#members);
    this.#tokens.set(provider, tokens);
    return tokens;
  }

  /** The name of a sub-agent, else its id. */
  agent(id: string | undefined): string | undefined {
    return id === undefined ? id : (this.#agents.get(id) ?? id);
  }

  /** Ends an attachment. The last one restores the session. */
  leave(): void {
    this.#attachments -= 1;
    if (this.#attachments === 0) for (const undo of this.#undoing) undo();
  }

  /**
   * Makes `session.sendAndWait` reject with the diagnosed error. No event or hook of the SDK can:
   * `sendAndWait` creates its error itself, from the message of the `session.error` event, and
   * `onErrorOccurred` cannot change it.
   */
  #explainSendAndWait(session: CopilotSession): () => void {
    const original = session.sendAndWait;
    const isOwn = Object.hasOwn(session, "sendAndWait");
    const sendAndWait: typeof original = async (prompt, timeout) => {
      this.#endMessage = undefined;
      this.rules.forget();
      try {
        return await original.call(session, prompt as MessageOptions, timeout);
      } catch (cause) {
        // Other errors, such as that of the caller's timeout, are clear as they are.
        const message = cause instanceof Error ? cause.message : undefined;
        const isEnd = this.#endMessage !== undefined && this.#endMessage === message;
        if (!isEnd || !this.rules.hasFailed() || !this.failure) throw cause;
        const { code, message: text, hint, status, retryAfterMs, retryable } = this.failure;
        throw new KeylessError(code, text, { hint, status, retryAfterMs, retryable, cause });
      }
    };
    session.sendAndWait = sendAndWait;
    return () => {
      this.#endMessage = undefined;
      // A wrapper that another library put around it stays; without attachments this function changes
      // nothing.
      if (session.sendAndWait !== sendAndWait) return;
      if (isOwn) session.sendAndWait = original;
      else Reflect.deleteProperty(session, "sendAndWait");
    };
  }
}
