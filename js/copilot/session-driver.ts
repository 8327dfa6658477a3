import type { CopilotClient, CopilotSession, ProviderConfig, SessionConfig } from "@github/copilot-sdk";
import { KeylessError } from "../errors/keyless-error.js";
import type { FoundryProvider } from "../foundry/provider.js";
import {
  homeError,
  isConnectionLost,
  isKilled,
  isSessionGone,
  runtimeEnded,
  runtimeError,
  textOf,
} from "../foundry/runtime-error.js";
import type { ModelCallFailure } from "../foundry/session-watch.js";
import { systemClock, unref } from "../platform/clock.js";
import { node } from "../platform/node.js";
import { withDeadline } from "../platform/with-deadline.js";
import { callCore, planModule } from "../wasm/bindings.js";
import type {
  ConversationAction,
  ConversationClose,
  ConversationOutcome,
  Lifecycle,
} from "../wasm/modules/plan.js";
import { closed } from "./closed.js";
import type { Lease, Runtime } from "./runtime.js";
import { checkDirectory, START_MS } from "./sdk.js";
import { SessionLock, sessionOpen } from "./session-lock.js";
import type { Turn } from "./turn.js";
import { WorkingDirectory } from "./working-directory.js";

/** How long a session may take to stop working for a turn that is over, before it is left; and when the conversation is being closed. */
const SETTLE_MS = 5_000;
const SETTLE_CLOSING_MS = 300;

/** How long the runtime may take to detach a session, to delete one, or to tell its events. */
const REQUEST_MS = 5_000;

/** How often an opening session's runtime is asked whether it lives. */
const PULSE_MS = 1_000;

/** Settings that a conversation gets from its agent. */
export interface DriverSettings {
  provider: FoundryProvider;
  runtime: Runtime;
  /** The session's config but for model and provider. */
  session: Partial<SessionConfig>;
  /** The session to take up. */
  resume: string | undefined;
}

/**
 * Carries out what the lifecycle of `src/conversation.rs` decides: one action after another, each with an end of its own. It holds the
 * runtime, the session and the turns that wait for it.
 */
export class SessionDriver {
  readonly #settings: DriverSettings;
  readonly #lifecycle: Lifecycle;
  /** Turns that have not ended, in their order, each with its number. */
  readonly #turns: { turn: Turn; number: number }[] = [];
  #count = 0;
  /** Why the last turn that failed did. */
  #failure: unknown;
  #driving = false;
  #wantedClose: ConversationClose = "no";
  readonly #closing = deferred<void>();
  readonly #ended = deferred<void>();

  #lease: Lease | undefined;
  #session: CopilotSession | undefined;
  #unwatch: (() => void) | undefined;
  /** The turn that was sent last, which the session may still work for. */
  #sent: Turn | undefined;
  /** The runtime's id of the last prompt before it. */
  #earlierMessageId: string | undefined;
  /** The id of the session that this conversation has. */
  #id: string | undefined;
  /** Keeps others from taking it up. */
  #lock: SessionLock | undefined;
  /** Those who ask for the id before the session is there. */
  readonly #askers: Deferred<string>[] = [];
  /** Whether there is something to take up: `possible` after a prompt, `acknowledged` after an answer, and where it was asked for. */
  #history: "none" | "possible" | "acknowledged";
  /** The ids of all sessions that it has tried to create. */
  readonly #created = new Set<string>();
  /** Whether it has ever had a session. */
  #wasOpened = false;
  readonly #workingDirectory = new WorkingDirectory();

  constructor(settings: DriverSettings) {
    this.#settings = settings;
    const resumed = settings.resume !== undefined;
    this.#lifecycle = callCore(() => new (planModule().Lifecycle)(resumed));
    this.#history = resumed ? "acknowledged" : "none";
  }

  /** The session's id, once there is one; a promise of it while a turn begins, which rejects where that fails. */
  get sessionId(): Promise<string> | undefined {
    if (this.#id !== undefined) return Promise.resolve(this.#id);
    if (!this.#driving || this.#wantedClose !== "no") return undefined;
    const asker = deferred<string>();
    // Whoever asked may be busy with the turn, which tells the same.
    asker.promise.catch(() => {});
    this.#askers.push(asker);
    return asker.promise;
  }

  /** What a failed request of the session means. */
  explain(failure: ModelCallFailure["data"]): KeylessError {
    return this.#settings.provider.explain(failure, this.#id);
  }

  /** Runs a turn when those before it are over. */
  add(turn: Turn): void {
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

  /** Fails all turns and ends the session. Resolves when that is done. */
  close(deleteHistory: boolean): Promise<void> {
    if (this.#wantedClose === "no") {
      this.#wantedClose = deleteHistory ? "delete" : "keep";
      for (const { turn } of this.#turns) turn.fail(closed());
      this.#rejectAskers(closed());
      this.#closing.resolve();
      void this.#drive();
    }
    return this.#ended.promise;
  }

  /** The first turn that has not ended: its time runs. */
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
    this.#driving = false;
    this.#rejectAskers(this.#failure ?? closed());
  }

  #decide(outcome: ConversationOutcome): ConversationAction {
    return this.#lifecycle.next(outcome, this.#nextTurn()?.number, this.#wantedClose);
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
        return this.#detach();
      case "delete":
        return this.#delete();
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

  #rejectAskers(error: unknown): void {
    for (const asker of this.#askers.splice(0)) asker.reject(error);
  }

  async #takeLease(): Promise<ConversationOutcome> {
    try {
      this.#lease = await this.#settings.runtime.lease();
      return "leased";
    } catch (error) {
      if (isKilled(error)) return "dead";
      this.#failTurn(error);
      return "refused";
    }
  }

  async #check(): Promise<ConversationOutcome> {
    const lease = this.#lease as Lease;
    // A close does not wait for a runtime that hangs.
    const alive = await Promise.race([lease.isAlive(), this.#closing.promise.then(() => true)]);
    if (!alive) return this.#lost();
    try {
      if (this.#lock?.isOwn() === false) this.#failTurn(sessionOpen(String(this.#id)));
    } catch (error) {
      this.#failTurn(runtimeError(error, "session", { home: this.#settings.runtime.home }));
    }
    return lease.worn ? "worn" : "alive";
  }

  async #open(): Promise<ConversationOutcome> {
    const lease = this.#lease as Lease;
    const before = this.#id;
    let opening: Promise<CopilotSession> | undefined;
    try {
      const config = this.#config();
      this.#hold(this.#id ?? (this.#wasOpened ? undefined : this.#settings.resume) ?? config.sessionId);
      opening = this.#createOrResume(lease.client, config);
      this.#session = await withDeadline(
        Promise.race([opening, this.#death(lease, opening)]),
        START_MS,
        () => {
          throw new Error(`no answer within ${START_MS / 1000} s`);
        },
      );
      this.#hold(this.#session.sessionId);
      this.#unwatch = this.#settings.provider.watch(this.#session);
      this.#wasOpened = true;
      for (const asker of this.#askers.splice(0)) asker.resolve(this.#session.sessionId);
      return "opened";
    } catch (error) {
      if (this.#session) await this.#detach();
      // It may come yet.
      else void opening?.then((session) => session.disconnect()).catch(() => {});
      if (before === undefined) this.#letGo();
      if (isConnectionLost(error) || (!(error instanceof KeylessError) && !(await lease.isAlive()))) {
        return this.#lost();
      }
      this.#failTurn(runtimeError(error, "session", { home: this.#settings.runtime.home }));
      return "refused";
    }
  }

  /** Rejects when the runtime is dead while a session is opened. */
  async #death(lease: Lease, opening: Promise<CopilotSession>): Promise<CopilotSession> {
    let isOpening = true;
    const over = () => {
      isOpening = false;
    };
    opening.then(over, over);
    while (isOpening) {
      await new Promise<void>((next) => unref(systemClock.setTimeout(next, PULSE_MS)));
      if (isOpening && !(await lease.isAlive())) throw new Error("Connection is closed");
    }
    return opening;
  }

  #config(): SessionConfig {
    const { runtime, provider, session } = this.#settings;
    const { connection, workingDirectory } = runtime.options;
    // Somebody else's runtime may be on another machine.
    const isOurs = !runtime.foreign && connection?.kind !== "uri" && workingDirectory === undefined;
    if (session.workingDirectory !== undefined) checkDirectory(session.workingDirectory);
    return {
      onPermissionRequest: () => ({ kind: "reject", feedback: "This program permits no tools." }),
      ...(isOurs && session.workingDirectory === undefined
        ? { workingDirectory: this.#workingDirectory.path() }
        : {}),
      ...session,
      streaming: true,
      model: provider.model,
      provider: this.#reportingProvider(),
    };
  }

  async #createOrResume(client: CopilotClient, config: SessionConfig): Promise<CopilotSession> {
    const id = this.#id;
    if (this.#history === "none" || id === undefined) return this.#create(client, config);
    return client.resumeSession(id, config).catch((cause: unknown) => {
      const isOfTheMoment = isConnectionLost(cause) || homeError(textOf(cause)) !== undefined;
      if (!this.#wasOpened && !isOfTheMoment) throw notResumed(id, cause);
      // The history may come back, unless the runtime has none.
      if (!isSessionGone(cause)) throw cause;
      const isMissed = this.#history === "acknowledged";
      this.#letGo();
      this.#history = "none";
      if (isMissed) throw notResumed(id, cause);
      return this.#create(client, config);
    });
  }

  #create(client: CopilotClient, config: SessionConfig): Promise<CopilotSession> {
    // Chosen here, so that its files can be found although the runtime dies before it answers.
    const { sessionId = crypto.randomUUID() } = config;
    this.#created.add(sessionId);
    return client.createSession({ ...config, sessionId });
  }

  /** Keeps a session to this conversation, instead of the one that it had: two would overwrite each other's history. */
  #hold(id: string | undefined): void {
    if (id === undefined || (id === this.#id && this.#lock !== undefined)) return;
    const { open, home } = this.#settings.runtime;
    if (id === this.#id && home === undefined) return;
    if (id !== this.#id && open.has(id)) throw sessionOpen(id);
    const lock = home === undefined ? undefined : takenLock(home, id);
    this.#letGo();
    open.add(id);
    this.#lock = lock;
    this.#id = id;
  }

  /** Others may take the session up. */
  #letGo(): void {
    if (this.#id !== undefined) this.#settings.runtime.open.delete(this.#id);
    this.#id = undefined;
    this.#lock?.release();
    this.#lock = undefined;
  }

  async #send(): Promise<ConversationOutcome> {
    const { turn } = this.#nextTurn() ?? {};
    const [session, lease] = [this.#session as CopilotSession, this.#lease as Lease];
    if (!turn) return "finished";
    if (turn !== this.#sent) this.#earlierMessageId = this.#sent?.messageId ?? this.#earlierMessageId;
    else if (await hasRunTools(session, turn, this.#earlierMessageId)) {
      turn.fail(runtimeEnded(false));
      return "finished";
    }
    this.#sent = turn;
    if (this.#history === "none") this.#history = "possible";
    const outcome = await turn.run(session, () => lease.isAlive());
    lease.turned();
    if (outcome === "finished") this.#history = "acknowledged";
    if (outcome === "gone") this.#dropSession();
    if (outcome !== "dead") return outcome;
    if (!turn.maySendAgain) turn.fail(runtimeEnded(this.#settings.runtime.foreign !== undefined));
    return this.#lost();
  }

  async #settle(): Promise<ConversationOutcome> {
    const [session, turn] = [this.#session as CopilotSession, this.#sent as Turn];
    const settleMs = this.#wantedClose === "no" ? SETTLE_MS : SETTLE_CLOSING_MS;
    const outcome = await turn.settle(session, settleMs);
    if (outcome === "restless") this.#lease?.retire();
    return outcome === "dead" ? this.#lost() : outcome;
  }

  async #detach(): Promise<ConversationOutcome> {
    const session = this.#session;
    this.#dropSession();
    await inTime(session?.disconnect());
    return "detached";
  }

  async #delete(): Promise<ConversationOutcome> {
    const id = this.#id ?? this.#settings.resume;
    if (id !== undefined) await inTime(this.#lease?.client.deleteSession(id));
    return "deleted";
  }

  async #discard(): Promise<ConversationOutcome> {
    await inTime(this.#lease?.discard());
    this.#lease = undefined;
    return "released";
  }

  /** The runtime is dead. One of the user's own is theirs to start again, unless they have done so already. */
  async #lost(): Promise<"dead"> {
    this.#dropSession();
    if (this.#settings.runtime.foreign && !(await this.#lease?.isAlive())) this.#failTurn(runtimeEnded(true));
    return "dead";
  }

  #dropSession(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#session = undefined;
  }

  /** The provider's config, whose tokens are for the running turn: their errors reach it as they are. */
  #reportingProvider(): ProviderConfig {
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
    const id = this.#id ?? this.#settings.resume;
    this.#letGo();
    this.#id = id;
    this.#lifecycle.free();
    await this.#workingDirectory.remove();
    if (this.#wantedClose === "delete") {
      if (id !== undefined) this.#created.add(id);
      await Promise.all([...this.#created].map((one) => removeFiles(this.#settings.runtime, one)));
    }
    this.#ended.resolve();
  }
}

/** Removes the files of a session whose runtime may have ended before it did so. */
async function removeFiles({ home, foreign }: Runtime, id: string): Promise<void> {
  if (home === undefined || foreign || !/^[\w-]+$/.test(id)) return;
  const folder = node.path.join(home, "session-state", id);
  await node.fs.promises.rm(folder, { recursive: true, force: true, maxRetries: 2 }).catch(() => {});
}

/** The lock of a session; none where this program may not write to the home. Whether the runtime may, it says itself. */
function takenLock(home: string, id: string): SessionLock | undefined {
  let lock: SessionLock | undefined;
  try {
    lock = SessionLock.take(home, id);
  } catch {
    return undefined;
  }
  if (!lock) throw sessionOpen(id);
  return lock;
}

/** Waits for a request that may fail, for so long as it may take. */
async function inTime(request: Promise<unknown> | undefined): Promise<void> {
  await withDeadline<unknown>(request?.catch(() => {}) ?? Promise.resolve(), REQUEST_MS, () => {});
}

/**
 * Whether tools have run, or may have run, for the turn's prompt, by what the runtime has written down: it may have died before it told.
 * Only what follows the prompt before it counts: that may have been of the same words.
 */
async function hasRunTools(
  session: CopilotSession,
  { prompt, messageId }: Turn,
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
      (messageId === undefined ? event.data.content === prompt : event.data.messageId === messageId),
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

function notResumed(id: string, cause: unknown): KeylessError {
  const message = `The session ${id} cannot be taken up again: ${textOf(cause)}`;
  return new KeylessError("sdk/session-not-found", message, {
    hint: "Give the id of a session whose files are in this COPILOT_HOME (in code: client: { baseDirectory }), or begin a new one.",
    cause,
  });
}
