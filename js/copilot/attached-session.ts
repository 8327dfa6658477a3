import type { CopilotClient, CopilotSession, ProviderConfig, SessionConfig } from "@github/copilot-sdk";
import { KeylessError } from "../errors/keyless-error.js";
import type { FoundryProvider } from "../foundry/provider.js";
import { homeError, isConnectionLost, isSessionGone, textOf } from "../foundry/runtime-error.js";
import { systemClock, unref } from "../platform/clock.js";
import { node } from "../platform/node.js";
import { withDeadline } from "../platform/with-deadline.js";
import type { Lease, Runtime } from "./runtime.js";
import { checkDirectory, START_MS } from "./sdk.js";
import { SessionLock, sessionOpen } from "./session-lock.js";
import { WorkingDirectory } from "./working-directory.js";

/** How long the runtime may take to answer a request of a conversation, in milliseconds. */
export const REQUEST_MS = 5_000;

/** How often to check that the runtime is alive while it opens a session, in milliseconds. */
const ALIVE_CHECK_MS = 1_000;

/** What a session is made from. */
export interface SessionSettings {
  provider: FoundryProvider;
  runtime: Runtime;
  /** The session's config without model and provider. */
  session: Partial<SessionConfig>;
  /** The id of the session to resume. */
  resume: string | undefined;
  /** The id that the program chose for the new session. */
  id: string | undefined;
}

/**
 * The session of one conversation: opened on a runtime, opened again on the next one under the same
 * id, and at the end detached or deleted. While it has an id, no other conversation can open that
 * session.
 */
export class AttachedSession {
  readonly #settings: SessionSettings;
  readonly #workingDirectory = new WorkingDirectory();
  #open: CopilotSession | undefined;
  #stopAttachment: (() => void) | undefined;
  #id: string | undefined;
  /** The id of a session that others may open until the next turn. */
  #idleId: string | undefined;
  #lock: SessionLock | undefined;
  /**
   * Whether a history exists: `possible` once a prompt was sent, `acknowledged` once one was
   * answered or to be resumed.
   */
  #history: "none" | "possible" | "acknowledged";
  /** The id of the session that is open or will be created. */
  #nextId: string;
  /** The last attempt to open a session, and the client that it went to. */
  #opening: Promise<CopilotSession> | undefined;
  #client: CopilotClient | undefined;
  /** The ids of all sessions that this conversation tried to create. */
  readonly #created = new Set<string>();
  #wasOpened = false;

  constructor(settings: SessionSettings) {
    this.#settings = settings;
    this.#history = settings.resume === undefined ? "none" : "acknowledged";
    this.#nextId = settings.resume ?? newId(settings);
  }

  /** The id of the session that is open, or will be. */
  get nextId(): string {
    return this.id ?? this.#nextId;
  }

  /** The session's id, once there is one. */
  get id(): string | undefined {
    return this.#id ?? this.#idleId;
  }

  /** The open session. */
  get open(): CopilotSession | undefined {
    return this.#open;
  }

  /**
   * @throws KeylessError `agent/session-open` when another process has opened the session meanwhile
   */
  checkLock(): void {
    if (this.#lock?.isOwn() === false) throw sessionOpen(String(this.#id));
  }

  /** Notes that a prompt is about to be sent: from now on there may be a history. */
  promptSent(): void {
    if (this.#history === "none") this.#history = "possible";
  }

  /** Notes that a prompt was answered: from now on there is a history. */
  promptAnswered(): void {
    this.#history = "acknowledged";
  }

  /**
   * Creates the session, or resumes it, and attaches the provider to it. Resolves with its id.
   *
   * @throws KeylessError `agent/session-open`, `sdk/session-not-found`, `sdk/working-directory`;
   * else the SDK's error
   */
  async start(lease: Lease, provider: ProviderConfig): Promise<string> {
    const earlierId = this.#id;
    let opening: Promise<CopilotSession> | undefined;
    try {
      const config = this.#config(provider);
      const chosen = this.#settings.id ?? config.sessionId;
      this.#reserve(this.id ?? (this.#wasOpened ? undefined : this.#settings.resume) ?? chosen);
      opening = this.#createOrResume(lease.client, config);
      [this.#opening, this.#client] = [opening, lease.client];
      const session = await withDeadline(
        Promise.race([opening, rejectWhenDead(lease, opening)]),
        START_MS,
        () => {
          throw new Error(`no answer within ${START_MS / 1000} s`);
        },
      );
      this.#open = session;
      this.#reserve(session.sessionId);
      this.#stopAttachment = this.#settings.provider.attach(session);
      this.#wasOpened = true;
      this.#idleId = undefined;
      return session.sessionId;
    } catch (error) {
      if (this.#open) await this.detach();
      // The session may still be opened later.
      else void opening?.then((session) => this.#disconnectLate(session, opening, lease)).catch(() => {});
      if (earlierId === undefined) this.#release();
      throw error;
    }
  }

  /** Disconnects from the session. Its history stays. */
  async detach(): Promise<void> {
    const session = this.#open;
    this.lost();
    await inTime(session?.disconnect());
  }

  /** Notes that the runtime no longer has the session open. */
  lost(): void {
    this.#stopAttachment?.();
    this.#stopAttachment = undefined;
    this.#open = undefined;
  }

  /** Lets others open the session, which is detached, and removes its working directory. */
  idle(): void {
    this.#idleId = this.id;
    this.#release();
    void this.#workingDirectory.remove();
  }

  /** Has the runtime delete the session and its history. */
  async delete(client: CopilotClient | undefined): Promise<void> {
    const id = this.id ?? this.#settings.resume;
    if (id !== undefined) await inTime(client?.deleteSession(id));
  }

  /** Lets others open the session and removes the files that are left. The id stays known. */
  async end(deleteHistory: boolean): Promise<void> {
    const id = this.id ?? this.#settings.resume;
    this.#release();
    this.#id = id;
    await this.#workingDirectory.remove();
    if (!deleteHistory) return;
    const ids = new Set([...this.#created, ...(id === undefined ? [] : [id])]);
    await Promise.all([...ids].map((one) => removeFiles(this.#settings.runtime, one)));
  }

  #config(provider: ProviderConfig): SessionConfig {
    const { runtime, provider: foundry, session } = this.#settings;
    const { connection, workingDirectory } = runtime.options;
    // A runtime that somebody else started may be on another machine.
    const isOwn = !runtime.userClient && connection?.kind !== "uri" && workingDirectory === undefined;
    if (session.workingDirectory !== undefined) checkDirectory(session.workingDirectory);
    return {
      onPermissionRequest: () => ({ kind: "reject", feedback: "This program permits no tools." }),
      ...(isOwn && session.workingDirectory === undefined
        ? { workingDirectory: this.#workingDirectory.path() }
        : {}),
      ...session,
      streaming: true,
      model: foundry.model,
      provider,
    };
  }

  async #createOrResume(client: CopilotClient, config: SessionConfig): Promise<CopilotSession> {
    const id = this.#id;
    if (this.#history === "none" || id === undefined) return this.#create(client, config);
    return client.resumeSession(id, config).catch((cause: unknown) => {
      const mayPass = isConnectionLost(cause) || homeError(textOf(cause)) !== undefined;
      if (!this.#wasOpened && !mayPass) throw notResumed(id, cause);
      // Any other error may pass. Only this one says that the runtime has no history.
      if (!isSessionGone(cause)) throw cause;
      const isMissed = this.#history === "acknowledged";
      this.#release();
      this.#idleId = undefined;
      this.#history = "none";
      if (isMissed) {
        this.#nextId = newId(this.#settings);
        throw notResumed(id, cause);
      }
      return this.#create(client, config);
    });
  }

  #create(client: CopilotClient, config: SessionConfig): Promise<CopilotSession> {
    // The id is chosen here, so that its files can be found even if the runtime dies before it
    // answers.
    const { id, runtime } = this.#settings;
    const sessionId = this.#nextId;
    if (id === sessionId && !this.#created.has(id)) checkUnused(runtime, id);
    this.#created.add(sessionId);
    return client.createSession({ ...config, sessionId });
  }

  /** Ends a session that was opened too late, unless this conversation has it open by now. */
  async #disconnectLate(
    session: CopilotSession,
    opening: Promise<CopilotSession> | undefined,
    { client }: Lease,
  ): Promise<void> {
    if (this.#opening === opening || this.#client !== client) await session.disconnect();
  }

  /**
   * Reserves a session for this conversation, in place of the one before: two would overwrite each
   * other's history.
   */
  #reserve(id: string | undefined): void {
    if (id === undefined || (id === this.#id && this.#lock !== undefined)) return;
    const { sessionsInUse, home } = this.#settings.runtime;
    if (id === this.#id && home === undefined) return;
    if (id !== this.#id && sessionsInUse.has(id)) throw sessionOpen(id);
    const lock = home === undefined ? undefined : takeLock(home, id);
    this.#release();
    sessionsInUse.add(id);
    this.#lock = lock;
    this.#id = id;
  }

  /** Lets other conversations open the session. */
  #release(): void {
    if (this.#id !== undefined) this.#settings.runtime.sessionsInUse.delete(this.#id);
    this.#id = undefined;
    this.#lock?.release();
    this.#lock = undefined;
  }
}

/** The id of a new session: the chosen one, or a random one. */
function newId({ id, session }: SessionSettings): string {
  return id ?? session.sessionId ?? crypto.randomUUID();
}

/**
 * Refuses an id that has a history, which the runtime would go on with.
 *
 * @throws KeylessError `agent/invalid-option`
 */
export function checkUnused({ home }: Runtime, id: string): void {
  if (home === undefined) return;
  if (!node.fs.existsSync(node.path.join(home, "session-state", id, "events.jsonl"))) return;
  throw new KeylessError("agent/invalid-option", `There is a conversation with the id ${id} already`, {
    hint: "Choose another id, or continue that conversation with resume.",
  });
}

/** Rejects when the runtime dies while it opens a session: its death raises no event. */
async function rejectWhenDead(lease: Lease, opening: Promise<CopilotSession>): Promise<CopilotSession> {
  let isOpening = true;
  const settled = () => {
    isOpening = false;
  };
  opening.then(settled, settled);
  while (isOpening) {
    await new Promise<void>((next) => unref(systemClock.setTimeout(next, ALIVE_CHECK_MS)));
    if (isOpening && !(await lease.isAlive())) throw new Error("Connection is closed");
  }
  return opening;
}

/** Removes the files of a session, in case its runtime ended before it could delete them. */
export async function removeFiles({ home, userClient }: Runtime, id: string): Promise<void> {
  if (home === undefined || userClient || !/^[\w-]+$/.test(id)) return;
  const folder = node.path.join(home, "session-state", id);
  await node.fs.promises.rm(folder, { recursive: true, force: true, maxRetries: 2 }).catch(() => {});
}

/**
 * The lock of a session; none if this process may not write to the home folder. The runtime reports
 * its own write errors.
 */
function takeLock(home: string, id: string): SessionLock | undefined {
  let lock: SessionLock | undefined;
  try {
    lock = SessionLock.take(home, id);
  } catch {
    return undefined;
  }
  if (!lock) throw sessionOpen(id);
  return lock;
}

/** Waits for a request to settle, for a limited time. */
export async function inTime(request: Promise<unknown> | undefined): Promise<void> {
  await withDeadline<unknown>(request?.catch(() => {}) ?? Promise.resolve(), REQUEST_MS, () => {});
}

function notResumed(id: string, cause: unknown): KeylessError {
  const message = `The session ${id} cannot be resumed: ${textOf(cause)}`;
  return new KeylessError("sdk/session-not-found", message, {
    hint: "Give the id of a session whose files are in this COPILOT_HOME (in code: client: { baseDirectory }), or start a new one.",
    cause,
  });
}
