import type { SessionFsProvider } from "@github/copilot-sdk";

/**
 * Keeps conversations outside the process, so that their next turn may run in any instance.
 * `blobConversations` of `copilot-keyless/blob-sessions` creates one for Azure Blob Storage.
 */
export interface ConversationStore {
  /** The first turn of a new conversation of this caller with this model. Sends nothing yet. */
  begin(model: string, caller: string): StoredTurn;
  /**
   * The next turn of a conversation, by the id that its caller has. Sends nothing yet.
   *
   * @throws KeylessError `chat/session-not-found` for an id that cannot be one
   */
  resume(sessionId: string, caller: string): StoredTurn;
  /**
   * The next turn of a conversation by an id that the program chose; its first one if there is none,
   * unless it must exist. Sends nothing yet.
   */
  named(id: string, model: string, caller: string, mustExist: boolean): StoredTurn;
  /** Ends what the store keeps open. Running turns keep their leases until these end. */
  close(): void;
}

/** One turn of a stored conversation. While it is open, no other worker can write to it. */
export interface StoredTurn {
  /** The runtime's id of the session. */
  readonly id: string;
  /** The id for the caller. */
  readonly sessionId: string;
  readonly model: string;
  /** Whether the conversation begins with this turn, so that nobody else knows its id. */
  readonly isNew: boolean;
  /** Whether the conversation has a history, once the turn is open. */
  readonly hasHistory: boolean;
  /** The session's files, once the turn is open. What is written waits for {@link StoredTurn.end}. */
  readonly files: SessionFsProvider;
  /** Aborts when another worker has taken the conversation over. The reason is the error. */
  readonly lost: AbortSignal;
  /**
   * Takes the conversation and reads its files.
   *
   * @throws KeylessError `chat/session-not-found`, `chat/session-busy`, `chat/turn-lost`, `storage/...`
   */
  open(): Promise<void>;
  /**
   * Writes what the turn has written, and returns the conversation. When it resolves, the turn is
   * kept. Call it once the session is closed; also for a turn that failed.
   *
   * @throws KeylessError `storage/...`: the turn is not kept, or that is not known
   */
  end(): Promise<void>;
  /** Removes a new conversation whose first turn failed: nobody knows its id. Never rejects. */
  discard(): Promise<void>;
}
