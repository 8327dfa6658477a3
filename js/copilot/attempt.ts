import type { CopilotSession, SessionEvent } from "@github/copilot-sdk";
import { withDeadline } from "../platform/with-deadline.js";

/** A prompt that was sent to a session once, and the events that belong to it. */
export class Attempt {
  /** Settles when the session has taken the prompt, or has not. */
  readonly sent: Promise<unknown>;
  /** The runtime's id of the prompt, once the session has taken it. */
  messageId: string | undefined;
  /** Whether the session has ended the turn by itself, and need not be told to. */
  endedBySession = false;
  readonly #idle: Promise<boolean>;
  #becomeIdle!: () => void;
  readonly #unsubscribe: () => void;

  constructor(session: CopilotSession, prompt: string, onEvent: (event: SessionEvent) => void) {
    this.#idle = new Promise((resolve) => {
      this.#becomeIdle = () => resolve(true);
    });
    // Events of an earlier turn may still arrive: nothing counts before this prompt's own message has come by.
    let own = false;
    const early: SessionEvent[] = [];
    const take = (event: SessionEvent) => {
      if (this.messageId === undefined) early.push(event);
      else if (!own) own = event.type === "user.message" && event.data.messageId === this.messageId;
      else {
        this.#note(event);
        onEvent(event);
      }
    };
    this.#unsubscribe = session.on(take);
    this.sent = session.send({ prompt }).then((messageId) => {
      this.messageId = messageId;
      for (const event of early.splice(0)) take(event);
    });
    this.sent.catch(() => {});
  }

  /** Whether the session has become quiet within `ms` milliseconds. */
  quiet(ms: number): Promise<boolean> {
    return withDeadline(this.#idle, ms, () => false);
  }

  /** Listens no more. */
  leave(): void {
    this.#unsubscribe();
  }

  #note({ type, agentId }: SessionEvent): void {
    // A sub-agent's end is not the turn's.
    if (agentId !== undefined) return;
    if (type === "session.error" || type === "session.idle") this.endedBySession = true;
    if (type === "session.idle") this.#becomeIdle();
  }
}
