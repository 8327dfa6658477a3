import type { CopilotSession } from "@github/copilot-sdk";

/**
 * State of Copilot sessions, found by session id. The state lives as long as its session object:
 * the SDK reports a disconnected session to nobody, so nothing here may keep it.
 */
export class SessionMap<State extends object> {
  readonly #bySession = new WeakMap<CopilotSession, State>();
  readonly #byId = new Map<string, WeakRef<State>>();
  /** Created with the first session: not every platform that loads this module has it. */
  #collected: FinalizationRegistry<[id: string, ref: WeakRef<State>]> | undefined;

  get(sessionId: string | undefined): State | undefined {
    return sessionId === undefined ? undefined : this.#byId.get(sessionId)?.deref();
  }

  /**
   * The state of a session, created if there is none. A resumed session is another object, with a
   * state of its own.
   */
  enter(session: CopilotSession, create: () => State): State {
    const known = this.#bySession.get(session);
    if (known) return known;
    const state = create();
    const ref = new WeakRef(state);
    this.#bySession.set(session, state);
    this.#byId.set(session.sessionId, ref);
    this.#collected ??= new FinalizationRegistry(([id, collected]) => {
      if (this.#byId.get(id) === collected) this.#byId.delete(id);
    });
    this.#collected.register(state, [session.sessionId, ref]);
    return state;
  }

  /** Forgets the state of a session. */
  leave(session: CopilotSession): void {
    const state = this.#bySession.get(session);
    this.#bySession.delete(session);
    if (state && this.get(session.sessionId) === state) this.#byId.delete(session.sessionId);
  }
}
