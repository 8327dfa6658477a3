import type { CopilotSession, MessageOptions, SessionEvent } from "@github/copilot-sdk";
import { withDeadline } from "../platform/with-deadline.js";

/** One sending of a prompt to a session, and the events that follow it. */
export class Attempt {
  /** Resolves when the session has accepted the prompt. */
  readonly sent: Promise<unknown>;
  /** The runtime's id of the prompt, once the session has accepted it. */
  messageId: string | undefined;
  /** Whether the session has ended the turn by itself, so that no abort is needed. */
  endedBySession = false;
  readonly #idle: Promise<boolean>;
  #becomeIdle!: () => void;
  readonly #unsubscribe: () => void;

  constructor(session: CopilotSession, message: MessageOptions, onEvent: (event: SessionEvent) => void) {
    this.#idle = new Promise((resolve) => {
      this.#becomeIdle = () => resolve(true);
    });
    // Events of an earlier turn may still arrive, so only those after this prompt's own message
    // count.
    let seenOwnMessage = false;
    const early: SessionEvent[] = [];
    const take = (event: SessionEvent) => {
      if (this.messageId === undefined) early.push(event);
      else if (!seenOwnMessage && !isRefusal(event))
        seenOwnMessage = event.type === "user.message" && event.data.messageId === this.messageId;
      else {
        seenOwnMessage = true;
        this.#note(event);
        onEvent(event);
      }
    };
    this.#unsubscribe = session.on(take);
    this.sent = session.send(message).then((messageId) => {
      this.messageId = messageId;
      for (const event of early.splice(0)) take(event);
    });
    this.sent.catch(() => {});
  }

  /**
   * Waits until the session is idle, for at most `ms` milliseconds. Resolves with whether it is.
   */
  becomesIdle(ms: number): Promise<boolean> {
    return withDeadline(this.#idle, ms, () => false);
  }

  /** Stops listening to the session. */
  stop(): void {
    this.#unsubscribe();
  }

  #note({ type, agentId }: SessionEvent): void {
    // A sub-agent's end is not the turn's.
    if (agentId !== undefined) return;
    if (type === "session.error" || type === "session.idle") this.endedBySession = true;
    if (type === "session.idle") this.#becomeIdle();
  }
}

/** Whether the runtime refused the prompt for its tools, so that its message never comes. */
function isRefusal(event: SessionEvent): boolean {
  return event.type === "session.error" && isToolConflict(event.data.message);
}

/** Whether an error says that a tool of the program has the name of a built-in one. */
export function isToolConflict(said: string): boolean {
  return /External tool .* conflicts with a built-in tool/.test(said);
}
