import type {
  CopilotClientOptions,
  CopilotSession,
  SessionConfig,
  SessionFsProvider,
} from "@github/copilot-sdk";
import type { Conversation } from "../copilot/conversation.js";
import type { ConversationStore, StoredTurn } from "../copilot/conversation-store.js";
import { isKeylessError } from "../errors/keyless-error.js";
import type { EngineEvent, EngineRequest, EngineResult } from "../http/contract.js";
import { cutOff, sessionBusy, sessionNotFound } from "../http/problem.js";
import { checkSameModel, chosenModel } from "./chosen-model.js";
import { replyEvents, type Said } from "./reply-events.js";
import type { Running } from "./running.js";

/** Runs turns of conversations that a store keeps, so that the next one may run in another instance. */
export class StoredTurns {
  /** Options for the runtime: it asks this process for the files of every session. */
  readonly clientOptions: Pick<CopilotClientOptions, "sessionFs"> = {
    sessionFs: { initialCwd: "/", sessionStatePath: "/session", conventions: "posix" },
  };
  readonly sessionOptions: Pick<SessionConfig, "createSessionFsProvider"> = {
    createSessionFsProvider: ({ sessionId }: CopilotSession) => this.#filesOf(sessionId),
  };
  readonly #store: ConversationStore;
  readonly #isClosed: () => boolean;
  /** The files of sessions with a turn, by the runtime's id. */
  readonly #files = new Map<string, SessionFsProvider>();

  constructor(store: ConversationStore, isClosed: () => boolean) {
    this.#store = store;
    this.#isClosed = isClosed;
  }

  /** Runs one turn. Its result comes when the turn is kept. */
  async *answer(
    { agent, models }: Running,
    request: EngineRequest,
    { caller, signal }: { caller: string; signal: AbortSignal },
  ): AsyncGenerator<EngineEvent, EngineResult, undefined> {
    const { model, reference } = request;
    const turn = this.#turnOf(request, models, caller);
    const provider = models.get(turn.model);
    if (!provider) throw sessionNotFound();
    checkSameModel(turn.model, model);
    let conversation: Conversation | undefined;
    const opened = turn.open();
    opened.catch(() => {});
    let [said, failure]: [Said | undefined, unknown] = [undefined, undefined];
    try {
      // A new one has no files to wait for: it is created while the model is asked.
      if (!turn.isNew) await opened;
      this.#files.set(turn.id, turn.files);
      const { id } = turn;
      conversation = agent.conversation({ ...(turn.hasHistory ? { resume: id } : { id }), provider });
      const events = replyEvents(conversation, request, AbortSignal.any([signal, turn.lost]));
      said = yield* after(opened, events);
    } catch (error) {
      failure = this.#errorOf(error);
    } finally {
      failure = (await this.#end(turn, conversation, opened, said !== undefined)) ?? failure;
    }
    if (said === undefined || failure !== undefined) throw failure;
    return { ...said, sessionId: turn.sessionId, model: turn.model, reference };
  }

  #turnOf({ session, sessionId, model }: EngineRequest, models: Running["models"], caller: string) {
    if (session) {
      const { name } = chosenModel(models, undefined);
      return this.#store.named(session.id, name, caller, session.mustExist);
    }
    return sessionId === undefined
      ? this.#store.begin(chosenModel(models, model).name, caller)
      : this.#store.resume(sessionId, caller);
  }

  /** Ends a turn. Returns the error if its reply is not kept. */
  async #end(
    turn: StoredTurn,
    conversation: Conversation | undefined,
    opened: Promise<void>,
    isComplete: boolean,
  ): Promise<unknown> {
    // The runtime writes that it leaves the session.
    await conversation?.close().catch(() => {});
    if (this.#files.get(turn.id) === turn.files) this.#files.delete(turn.id);
    const isOpen = await opened.then(
      () => true,
      () => false,
    );
    if (!isOpen) return undefined;
    if (turn.isNew && !isComplete) return turn.discard();
    const error = await turn.end().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return isComplete ? error : undefined;
  }

  #filesOf(id: string): SessionFsProvider {
    const files = this.#files.get(id);
    // The runtime starts no sessions of its own.
    if (!files) throw new Error(`There is no turn of session ${id}`);
    return files;
  }

  #errorOf(error: unknown): unknown {
    if (isKeylessError(error, "sdk/session-not-found")) return sessionNotFound();
    if (isKeylessError(error, "agent/session-open")) return sessionBusy();
    if (isKeylessError(error, "agent/closed") && this.#isClosed()) return cutOff();
    return error;
  }
}

/** Passes events on once something is done; fails as that does. */
async function* after<Event, Result>(
  done: Promise<unknown>,
  events: AsyncGenerator<Event, Result, undefined>,
): AsyncGenerator<Event, Result, undefined> {
  const first = events.next();
  first.catch(() => {});
  await done;
  const { done: isOver, value } = await first;
  if (isOver) return value;
  yield value;
  return yield* events;
}
