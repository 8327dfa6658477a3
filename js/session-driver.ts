import type { CopilotClient, CopilotSession, ProviderConfig, SessionConfig } from "@github/copilot-sdk";
import { decide, planner } from "./bindings.js";
import { closed } from "./closed.js";
import { KeylessError } from "./errors.js";
import type { FoundryProvider, ModelCallFailure } from "./foundry-provider.js";
import type { Lease, Runtime } from "./runtime.js";
import {
  homeError,
  isConnectionLost,
  isKilled,
  isSessionGone,
  runtimeEnded,
  runtimeError,
} from "./runtime-error.js";
import { checkDirectory, START_MS } from "./sdk.js";
import { SessionLock, sessionOpen } from "./session-lock.js";
import type { Turn } from "./turn.js";
import type { ConversationAction, ConversationOutcome, ConversationWants, Lifecycle } from "./wasm/plan.js";
import { within } from "./within.js";
import { makeWorkingDirectory, removeWorkingDirectory } from "./working-directory.js";

/** How long a session may take to stop working for a turn that is over, before it is left. */
const SETTLE_MS = 10_000;

/** How long the runtime may take to detach a session, or to delete one. */
const DETACH_MS = 5_000;

/** The same when the conversation is being closed, and somebody waits for that. */
const CLOSING_MS = 300;

/** What counts as the outcome of an action that throws, which none should: what is held of a runtime is given up. */
const UNFORESEEN: Record<ConversationAction, ConversationOutcome> = {
  rest: "woken",
  lease: "refused",
  check: "dead",
  open: "dead",
  send: "dead",
  settle: "dead",
  detach: "detached",
  delete: "deleted",
  release: "released",
  discard: "released",
  fail: "woken",
  end: "woken",
};

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
  #close: ConversationWants["close"] = "no";
  #driving = false;
  readonly #ended: Promise<void>;
  #end!: () => void;

  #lease: Lease | undefined;
  #session: CopilotSession | undefined;
  #unwatch: (() => void) | undefined;
  /** The turn that was sent last, which the session may still work for. */
  #sent: Turn | undefined;
  /** The id of the session that this conversation has, and no other takes up meanwhile. */
  #id: string | undefined;
  /** Those who ask for it before the session is there. */
  readonly #askers: { resolve: (id: string) => void; reject: (error: unknown) => void }[] = [];
  #lock: SessionLock | undefined;
  /** Whether there may be a history to take up. */
  #hasHistory: boolean;
  /** Whether somebody counts on it: a turn was answered, or it was asked for. */
  #isCountedOn: boolean;
  #workingDirectory: string | undefined;

  constructor(settings: DriverSettings) {
    this.#settings = settings;
    this.#lifecycle = decide(() => new (planner().Lifecycle)());
    this.#hasHistory = settings.resume !== undefined;
    this.#isCountedOn = this.#hasHistory;
    this.#ended = new Promise((end) => {
      this.#end = end;
    });
  }

  /** The session's id, once the first turn has begun. Rejects where it cannot be opened. */
  get sessionId(): Promise<string> | undefined {
    if (this.#id !== undefined) return Promise.resolve(this.#id);
    if (this.#count === 0) return undefined;
    return new Promise((resolve, reject) => this.#askers.push({ resolve, reject }));
  }

  /** What a failed request of the session means. */
  explain(failure: ModelCallFailure["data"]): KeylessError {
    return this.#settings.provider.explain(failure, this.#id);
  }

  /** Runs a turn when those before it are over. */
  add(turn: Turn): void {
    this.#count += 1;
    this.#turns.push({ turn, number: this.#count });
    void turn.reply.catch(() => {}).then(() => this.#head());
    this.#head();
    void this.#drive();
  }

  /** Fails all turns and ends the session. Resolves when that is done. */
  close(deleteHistory: boolean): Promise<void> {
    if (this.#close === "no") {
      this.#close = deleteHistory ? "delete" : "keep";
      for (const { turn } of this.#turns) turn.fail(closed());
      for (const { reject } of this.#askers.splice(0)) reject(closed());
      void this.#drive();
    }
    return this.#ended;
  }

  /** The first turn that has not ended: its time runs. */
  #head(): { turn: Turn; number: number } | undefined {
    while (this.#turns[0]?.turn.ended) this.#turns.shift();
    this.#turns[0]?.turn.startTime();
    return this.#turns[0];
  }

  async #drive(): Promise<void> {
    if (this.#driving) return;
    this.#driving = true;
    let action = this.#next("woken");
    while (action !== "rest" && action !== "end") action = this.#next(await this.#carryOut(action));
    this.#driving = action === "end";
    if (action === "end") await this.#finish();
  }

  #next(outcome: ConversationOutcome): ConversationAction {
    return this.#lifecycle.next(outcome, { turn: this.#head()?.number, close: this.#close });
  }

  /** Never rejects. */
  async #carryOut(action: ConversationAction): Promise<ConversationOutcome> {
    try {
      switch (action) {
        case "lease":
          return await this.#takeLease();
        case "check":
          return await this.#check();
        case "open":
          return await this.#open();
        case "send":
          return await this.#send();
        case "settle":
          return await this.#settle();
        case "detach":
          return await this.#detach();
        case "delete":
          return await this.#delete();
        case "release":
          this.#lease?.release();
          this.#lease = undefined;
          return "released";
        case "discard":
          return await this.#discard();
        default:
          this.#fail(runtimeEnded(false));
          return "woken";
      }
    } catch (error) {
      this.#fail(runtimeError(error, "session"));
      return UNFORESEEN[action];
    }
  }

  /** Fails the turn that waits, and tells those who wait for the session. */
  #fail(error: unknown): void {
    this.#head()?.turn.fail(error);
    if (this.#id === undefined) for (const { reject } of this.#askers.splice(0)) reject(error);
  }

  async #takeLease(): Promise<ConversationOutcome> {
    try {
      this.#lease = await this.#settings.runtime.lease();
      return "leased";
    } catch (error) {
      if (isKilled(error)) return "dead";
      this.#fail(error);
      return "refused";
    }
  }

  async #check(): Promise<ConversationOutcome> {
    const lease = this.#lease;
    if (!lease || !(await lease.isAlive())) return this.#lost();
    try {
      if (this.#lock?.isOwn() === false) this.#fail(sessionOpen(String(this.#id)));
    } catch (error) {
      this.#fail(runtimeError(error, "session", { home: this.#settings.runtime.home }));
    }
    return lease.worn ? "worn" : "alive";
  }

  async #open(): Promise<ConversationOutcome> {
    const lease = this.#lease as Lease;
    const before = this.#id;
    try {
      const config = this.#config();
      this.#hold(this.#id ?? this.#settings.resume ?? config.sessionId);
      const opening = this.#createOrResume(lease.client, config);
      const session = await within(opening, START_MS, () => {
        opening.then(detached).catch(() => {});
        throw new Error(`no answer within ${START_MS / 1000} s`);
      });
      this.#session = session;
      this.#hold(session.sessionId);
      this.#unwatch = this.#settings.provider.watch(session);
      for (const { resolve } of this.#askers.splice(0)) resolve(session.sessionId);
      return "opened";
    } catch (error) {
      if (this.#session) await this.#detach();
      if (before === undefined) this.#hold(undefined);
      if (!(error instanceof KeylessError) && !(await lease.isAlive())) return this.#lost();
      this.#fail(runtimeError(error, "session", { home: this.#settings.runtime.home }));
      return "refused";
    }
  }

  #config(): SessionConfig {
    const { runtime, provider, session } = this.#settings;
    const { workingDirectory } = session;
    if (workingDirectory !== undefined) checkDirectory(workingDirectory);
    else if (!runtime.foreign && runtime.options.workingDirectory === undefined) {
      this.#workingDirectory = makeWorkingDirectory(this.#workingDirectory);
    }
    return {
      onPermissionRequest: () => ({ kind: "reject", feedback: "This program permits no tools." }),
      ...(this.#workingDirectory === undefined ? {} : { workingDirectory: this.#workingDirectory }),
      ...session,
      streaming: true,
      model: provider.model,
      provider: this.#reportingProvider(),
    };
  }

  async #createOrResume(client: CopilotClient, config: SessionConfig): Promise<CopilotSession> {
    const id = this.#id;
    if (!this.#hasHistory || id === undefined) return client.createSession(config);
    return client.resumeSession(id, config).catch((cause: unknown) => {
      const said = cause instanceof Error ? cause.message : String(cause);
      if (isConnectionLost(cause) || (homeError(said) !== undefined && !isSessionGone(cause))) throw cause;
      if (this.#isCountedOn && id === this.#settings.resume) throw notResumed(id, cause);
      // Its history is gone, if there ever was one: from now on it is another session.
      this.#hold(undefined);
      this.#hasHistory = false;
      if (!this.#isCountedOn) return client.createSession(config);
      this.#isCountedOn = false;
      throw notResumed(id, cause);
    });
  }

  /** Keeps a session to this conversation, instead of the one before: two would end each other's. */
  #hold(id: string | undefined): void {
    const { open, home } = this.#settings.runtime;
    if (id === this.#id) return;
    if (id !== undefined && open.has(id)) throw sessionOpen(id);
    const lock = id === undefined || home === undefined ? undefined : SessionLock.take(home, id);
    if (id !== undefined && home !== undefined && !lock) throw sessionOpen(id);
    if (this.#id !== undefined) open.delete(this.#id);
    this.#lock?.release();
    if (id !== undefined) open.add(id);
    this.#lock = lock;
    this.#id = id;
  }

  async #send(): Promise<ConversationOutcome> {
    const { turn } = this.#head() ?? {};
    const [session, lease] = [this.#session as CopilotSession, this.#lease as Lease];
    if (!turn) return "finished";
    if (turn.wasSent && (await hasRunTools(session, turn))) {
      turn.fail(runtimeEnded(false));
      return "finished";
    }
    this.#sent = turn;
    this.#hasHistory = true;
    const outcome = await turn.run(session, () => lease.isAlive());
    lease.turned();
    if (outcome === "finished") this.#isCountedOn = true;
    if (outcome === "dead") {
      if (!turn.maySendAgain) turn.fail(runtimeEnded(this.#settings.runtime.foreign !== undefined));
      return this.#lost();
    }
    if (outcome === "gone") this.#left();
    return outcome;
  }

  async #settle(): Promise<ConversationOutcome> {
    const [session, turn] = [this.#session as CopilotSession, this.#sent as Turn];
    const outcome = await turn.settle(session, this.#close === "no" ? SETTLE_MS : CLOSING_MS);
    if (outcome === "restless") this.#lease?.retire();
    return outcome === "dead" ? this.#lost() : outcome;
  }

  async #detach(): Promise<ConversationOutcome> {
    const session = this.#session;
    this.#left();
    if (session) await this.#patiently(detached(session));
    return "detached";
  }

  async #delete(): Promise<ConversationOutcome> {
    const id = this.#id;
    if (id !== undefined) await this.#patiently(this.#lease?.client.deleteSession(id));
    return "deleted";
  }

  async #discard(): Promise<ConversationOutcome> {
    await this.#patiently(this.#lease?.discard());
    this.#lease = undefined;
    return "released";
  }

  /** The runtime is dead. A client of the user's own is theirs to start again. */
  #lost(): "dead" {
    this.#left();
    if (this.#settings.runtime.foreign) this.#fail(runtimeEnded(true));
    return "dead";
  }

  /** There is no session any more. */
  #left(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#session = undefined;
  }

  /** Waits for a step that may fail, for so long as there is time. */
  async #patiently(step: Promise<unknown> | undefined): Promise<void> {
    const done = step?.catch(() => {}) ?? Promise.resolve();
    await within<unknown>(done, this.#close === "no" ? DETACH_MS : CLOSING_MS, () => {});
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
    this.#hold(undefined);
    this.#lifecycle.free();
    if (this.#workingDirectory !== undefined) await removeWorkingDirectory(this.#workingDirectory);
    this.#end();
  }
}

function detached(session: CopilotSession): Promise<void> {
  return session.disconnect();
}

/**
 * Whether tools have run, or may have run, for the turn's prompt, by what the runtime has written down: it may have died before it told.
 */
async function hasRunTools(session: CopilotSession, { prompt, messageId }: Turn): Promise<boolean> {
  const events = await within(session.getEvents(), DETACH_MS, () => undefined).catch(() => undefined);
  if (!events) return true;
  const asked = events.findLastIndex(
    (event) =>
      event.type === "user.message" &&
      (messageId === undefined ? event.data.content === prompt : event.data.messageId === messageId),
  );
  return asked >= 0 && events.slice(asked).some(({ type }) => type.startsWith("tool.execution_"));
}

function notResumed(id: string, cause: unknown): KeylessError {
  const said = cause instanceof Error ? cause.message : String(cause);
  return new KeylessError("sdk/session-not-found", `The session ${id} cannot be taken up again: ${said}`, {
    hint: "Give the id of a session whose files are in this COPILOT_HOME (in code: client: { baseDirectory }), or begin a new one.",
    cause,
  });
}
