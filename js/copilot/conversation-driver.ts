import type { CopilotSession, ProviderConfig } from "@github/copilot-sdk";
import { KeylessError } from "../errors/keyless-error.js";
import { isConnectionLost, isKilled, runtimeEnded, runtimeError } from "../foundry/runtime-error.js";
import type { ModelCallFailure } from "../foundry/session-attachments.js";
import { withDeadline } from "../platform/with-deadline.js";
import { callCore, planModule } from "../wasm/bindings.js";
import type {
  ConversationAction,
  ConversationClose,
  ConversationOutcome,
  Lifecycle,
} from "../wasm/modules/plan.js";
import { AttachedSession, inTime, REQUEST_MS, type SessionSettings } from "./attached-session.js";
import { closed } from "./closed.js";
import type { Lease } from "./runtime.js";
import { loadSdk } from "./sdk.js";
import type { Turn } from "./turn.js";

/**
 * How long a session may take to stop working for a turn that is over, in milliseconds: normally,
 * and while closing.
 */
const SETTLE_MS = 5_000;
const SETTLE_CLOSING_MS = 300;

/**
 * Carries out the actions that the lifecycle in `src/conversation.rs` decides on, one after
 * another. Each takes a limited time. Holds the runtime, the session, and the turns that wait for
 * it.
 */
export class ConversationDriver {
  readonly #settings: SessionSettings;
  readonly #lifecycle: Lifecycle;
  readonly #session: AttachedSession;
  /** The turns that have not ended, in order, each with its number. */
  readonly #turns: { turn: Turn; number: number }[] = [];
  #count = 0;
  /** The error of the last turn that failed. */
  #failure: unknown;
  #driving = false;
  #closeMode: ConversationClose = "no";
  readonly #closing = deferred<void>();
  readonly #ended = deferred<void>();
  #lease: Lease | undefined;
  /** The last turn that was sent. The session may still be working for it. */
  #sent: Turn | undefined;
  /** The runtime's id of the prompt before that one. */
  #earlierMessageId: string | undefined;
  /** Callers that wait for the session's id. */
  readonly #idRequests: Deferred<string>[] = [];

  constructor(settings: SessionSettings) {
    this.#settings = settings;
    this.#lifecycle = callCore(() => new (planModule().Lifecycle)(settings.resume !== undefined));
    this.#session = new AttachedSession(settings);
  }

  /** The id that the conversation's session has or will get. */
  get id(): string {
    return this.#session.nextId;
  }

  /**
   * The session's id, once there is one. While the first turn starts: a promise, which rejects if
   * the start fails.
   */
  get sessionId(): Promise<string> | undefined {
    if (this.#session.id !== undefined) return Promise.resolve(this.#session.id);
    if (!this.#driving || this.#isClosing) return undefined;
    const request = deferred<string>();
    // The turn fails with the same error, so a caller need not handle this promise too.
    request.promise.catch(() => {});
    this.#idRequests.push(request);
    return request.promise;
  }

  /** Explains a failed request of the session. */
  explain(failure: ModelCallFailure["data"]): KeylessError {
    return this.#settings.provider.explain(failure, this.#session.id);
  }

  /** Runs a turn when those before it have ended. */
  add(turn: Turn): void {
    if (this.#closeMode === "idle") this.#closeMode = "no";
    this.#count += 1;
    this.#turns.push({ turn, number: this.#count });
    turn.reply
      .catch((error: unknown) => {
        this.#failure = error;
      })
      .then(() => this.#nextTurn());
    this.#nextTurn();
    void this.#drive();
  }

  /** Whether no turn runs or waits. */
  get isIdle(): boolean {
    return this.#nextTurn() === undefined;
  }

  /** Leaves session and runtime until the next turn, which resumes the session. */
  leave(): void {
    if (this.#closeMode !== "no") return;
    this.#closeMode = "idle";
    void this.#drive();
  }

  /** Fails all turns and ends the session. Resolves when that is done. */
  close(deleteHistory: boolean): Promise<void> {
    if (!this.#isClosing) {
      this.#closeMode = deleteHistory ? "delete" : "keep";
      for (const { turn } of this.#turns) turn.fail(closed());
      this.#rejectIdRequests(closed());
      this.#closing.resolve();
      void this.#drive();
    }
    return this.#ended.promise;
  }

  /** The first turn that has not ended. Starts its time. */
  #nextTurn(): { turn: Turn; number: number } | undefined {
    while (this.#turns[0]?.turn.ended) this.#turns.shift();
    this.#turns[0]?.turn.startTime();
    return this.#turns[0];
  }

  async #drive(): Promise<void> {
    if (this.#driving) return;
    this.#driving = true;
    let action = this.#decide("woken");
    while (action !== "rest" && action !== "end") action = this.#decide(await this.#carryOut(action));
    if (action === "end") return this.#finish();
    if (this.#closeMode === "idle") this.#session.idle();
    this.#driving = false;
    this.#rejectIdRequests(this.#failure ?? closed());
  }

  get #isClosing(): boolean {
    return this.#closeMode === "keep" || this.#closeMode === "delete";
  }

  #decide(outcome: ConversationOutcome): ConversationAction {
    return this.#lifecycle.next(outcome, this.#nextTurn()?.number, this.#closeMode);
  }

  /** Never rejects. */
  async #carryOut(action: ConversationAction): Promise<ConversationOutcome> {
    switch (action) {
      case "lease":
        return this.#takeLease();
      case "check":
        return this.#check();
      case "open":
        return this.#open();
      case "send":
        return this.#send().catch((error: unknown) => {
          this.#failTurn(runtimeError(error, "send"));
          return "unsettled";
        });
      case "settle":
        return this.#settle();
      case "detach":
        await this.#session.detach();
        return "detached";
      case "delete":
        await this.#session.delete(this.#lease?.client);
        return "deleted";
      case "release":
        this.#lease?.release();
        this.#lease = undefined;
        return "released";
      case "discard":
        return this.#discard();
      default:
        this.#failTurn(runtimeEnded(false));
        return "woken";
    }
  }

  #failTurn(error: unknown): void {
    this.#nextTurn()?.turn.fail(error);
  }

  #rejectIdRequests(error: unknown): void {
    for (const request of this.#idRequests.splice(0)) request.reject(error);
  }

  async #takeLease(): Promise<ConversationOutcome> {
    const { runtime } = this.#settings;
    try {
      const leased = runtime.lease();
      if (runtime.userClient === undefined) this.#acquireFirstToken();
      this.#lease = await leased;
      return "leased";
    } catch (error) {
      if (isKilled(error)) return "dead";
      this.#failTurn(error);
      return "refused";
    }
  }

  /** Acquires it while the runtime starts, which asks for it then, and reports a failure. */
  #acquireFirstToken(): void {
    const { scope, tokens } = this.#settings.provider;
    // A function that was passed in has no status.
    if (scope === undefined || tokens.status?.state !== "empty") return;
    // The process of the runtime is started as soon as the SDK is loaded: what else is loaded comes later.
    loadSdk()
      .then(() => tokens())
      .catch(() => {});
  }

  async #check(): Promise<ConversationOutcome> {
    const lease = this.#lease as Lease;
    // Closing does not wait for a runtime that hangs.
    const alive = await Promise.race([lease.isAlive(), this.#closing.promise.then(() => true)]);
    if (!alive) return this.#runtimeLost();
    try {
      this.#session.checkLock();
    } catch (error) {
      this.#failTurn(this.#sessionError(error));
    }
    return lease.isWorn ? "worn" : "alive";
  }

  async #open(): Promise<ConversationOutcome> {
    const lease = this.#lease as Lease;
    try {
      const id = await this.#session.start(lease, this.#providerConfig());
      for (const request of this.#idRequests.splice(0)) request.resolve(id);
      return "opened";
    } catch (error) {
      if (isConnectionLost(error) || (!(error instanceof KeylessError) && !(await lease.isAlive()))) {
        return this.#runtimeLost();
      }
      this.#failTurn(this.#sessionError(error));
      return "refused";
    }
  }

  #sessionError(error: unknown): unknown {
    return runtimeError(error, "session", { home: this.#settings.runtime.home });
  }

  async #send(): Promise<ConversationOutcome> {
    const { turn } = this.#nextTurn() ?? {};
    const [session, lease] = [this.#session.open as CopilotSession, this.#lease as Lease];
    if (!turn) return "finished";
    if (turn !== this.#sent) this.#earlierMessageId = this.#sent?.messageId ?? this.#earlierMessageId;
    else if (await hasRunTools(session, turn, this.#earlierMessageId)) {
      turn.fail(runtimeEnded(false));
      return "finished";
    }
    this.#sent = turn;
    this.#session.promptSent();
    const unsubscribe = session.on(() => lease.noteSign());
    const outcome = await turn.run(session, () => lease.isAlive()).finally(unsubscribe);
    lease.countTurn();
    if (outcome === "finished") this.#session.promptAnswered();
    if (outcome === "gone") this.#session.lost();
    if (outcome !== "dead") return outcome;
    if (!turn.maySendAgain) turn.fail(runtimeEnded(this.#settings.runtime.userClient !== undefined));
    return this.#runtimeLost();
  }

  async #settle(): Promise<ConversationOutcome> {
    const [session, turn] = [this.#session.open as CopilotSession, this.#sent as Turn];
    const settleMs = this.#isClosing ? SETTLE_CLOSING_MS : SETTLE_MS;
    const outcome = await turn.settle(session, settleMs);
    if (outcome === "restless") this.#lease?.retire();
    return outcome === "dead" ? this.#runtimeLost() : outcome;
  }

  async #discard(): Promise<ConversationOutcome> {
    await inTime(this.#lease?.discard());
    this.#lease = undefined;
    return "released";
  }

  /**
   * The runtime is dead. The turn fails if it was the user's client, unless the user has started it
   * again.
   */
  async #runtimeLost(): Promise<"dead"> {
    this.#session.lost();
    if (this.#settings.runtime.userClient && !(await this.#lease?.isAlive())) {
      this.#failTurn(runtimeEnded(true));
    }
    return "dead";
  }

  /**
   * The provider's config. Token errors reach the running turn as they are: the runtime only passes
   * on their text.
   */
  #providerConfig(): ProviderConfig {
    const { bearerTokenProvider, ...config } = this.#settings.provider.config;
    if (!bearerTokenProvider) return config;
    return {
      ...config,
      bearerTokenProvider: (args) => {
        const token = (async () => bearerTokenProvider(args))();
        return this.#sent?.token(token) ?? token;
      },
    };
  }

  async #finish(): Promise<void> {
    this.#lifecycle.free();
    await this.#session.end(this.#closeMode === "delete");
    this.#ended.resolve();
  }
}

/**
 * Whether tools may have run for the turn's prompt, by the events that the runtime has stored: it
 * may have died before it reported them. Looks only after the prompt before, which may have had the
 * same words.
 */
async function hasRunTools(
  session: CopilotSession,
  { message, messageId }: Turn,
  earlierMessageId: string | undefined,
): Promise<boolean> {
  const all = await withDeadline(session.getEvents(), REQUEST_MS, () => undefined).catch(() => undefined);
  if (!all) return true;
  const isMessage = (id: string | undefined) => (event: (typeof all)[number]) =>
    event.type === "user.message" && event.data.messageId === id;
  const events = all.slice(all.findLastIndex(isMessage(earlierMessageId)) + 1);
  const asked = events.findLastIndex(
    (event) =>
      event.type === "user.message" &&
      (messageId === undefined ? event.data.content === message.prompt : event.data.messageId === messageId),
  );
  return asked >= 0 && events.slice(asked).some(({ type }) => type.startsWith("tool.execution_"));
}

interface Deferred<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve!: Deferred<T>["resolve"];
  let reject!: Deferred<T>["reject"];
  const promise = new Promise<T>((succeed, fail) => {
    resolve = succeed;
    reject = fail;
  });
  return { promise, resolve, reject };
}
