import type { SessionFsProvider } from "@github/copilot-sdk";
import type { StoredTurn } from "../copilot/conversation-store.js";
import { isKeylessError, type KeylessError } from "../errors/keyless-error.js";
import { sessionBusy, sessionNotFound, turnLost } from "../http/problem.js";
import { systemClock } from "../platform/clock.js";
import { leaseModule } from "../wasm/lease-bindings.js";
import type { LeaseEnding, LeaseOutcome, LeaseStep } from "../wasm/modules/lease.js";
import { type Answer, ConversationBlobs, type Patience, whatWasSaid } from "./blobs.js";
import { leaseLost, storageUnavailable, unreadable } from "./errors.js";
import type { FileChange } from "./files.js";
import { HeldLease } from "./held-lease.js";
import { beginLine, endLines, isOnlyOf, SessionLog, voidLine } from "./log.js";
import { type ConversationName, pathOf, sessionIdOf } from "./names.js";
import { importBase, rollOver } from "./roll-over.js";
import type { StoreSettings } from "./settings.js";

/** How long the storage may take before a turn, and after it, in milliseconds. */
const OPEN_MS = 15_000;
const END_MS = 20_000;

/** How long a lease may take to be returned. It ends by itself. */
const RELEASE_MS = 5_000;

/** How long a busy conversation may be looked at, in milliseconds. */
const AGE_MS = 3_000;

const ENDINGS: readonly LeaseStep[] = ["kept", "busy", "not-found", "turn-lost", "lease-lost", "unavailable"];

/** Whether the conversation begins with the turn, exists, or may do either. */
export type TurnKind = "new" | "existing" | "either";

/** One turn of a conversation in Blob Storage: carries out the requests that src/lease/turn.rs names. */
export class BlobTurn implements StoredTurn {
  readonly id: string;
  readonly sessionId: string;
  readonly model: string;
  readonly #kind: TurnKind;
  /** The name of this turn in the log, and of its lease. */
  readonly #turn = crypto.randomUUID();
  readonly #settings: StoreSettings;
  readonly #path: string;
  #protocol = new (leaseModule().TurnLease)();
  readonly #log = new SessionLog(() => systemClock.now());
  readonly #lost = new AbortController();
  #blobs!: ConversationBlobs;
  #lease: HeldLease | undefined;
  #patience: Patience = { until: 0 };
  /** Where the log ends, as far as this worker knows. */
  #end = 0;
  #blocks = 0;
  #base: string | undefined;
  /** Whether part of the log is still in a block blob: a worker died while it rolled the log over. */
  #isSplit = false;
  #attempt = 0;
  #finished = false;
  #changes: FileChange[] = [];
  /** What the storage said last, for the error. */
  #said: unknown;
  /** How long the caller of a busy conversation shall wait. */
  #waitMs = 0;

  constructor(name: ConversationName, caller: string, kind: TurnKind, settings: StoreSettings) {
    this.id = name.id;
    this.model = name.model;
    this.sessionId = sessionIdOf(name);
    this.#kind = kind;
    this.#settings = settings;
    this.#path = pathOf(name, caller);
  }

  get isNew(): boolean {
    return this.#kind === "new";
  }

  get hasHistory(): boolean {
    return this.#log.lastEnded.length > 0;
  }

  get files(): SessionFsProvider {
    return this.#log.files;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async open(): Promise<void> {
    this.#blobs = new ConversationBlobs(await this.#settings.container(), this.#path);
    this.#patience = { until: systemClock.monotonic() + OPEN_MS };
    if (this.isNew) {
      // Nobody knows its id yet, so nobody else can write to it.
      await this.#create();
      for (const came of ["done", "done", "done"] as const) this.#protocol.next(came);
      return;
    }
    await this.#drive("done").catch(async (error: unknown) => {
      if (this.#kind !== "either" || !isKeylessError(error, "chat/session-not-found")) throw error;
      // Another worker may be as fast: the lease decides.
      await this.#create();
      this.#protocol = new (leaseModule().TurnLease)();
      this.#finished = false;
      await this.#drive("done");
    });
  }

  async #create(): Promise<void> {
    const answer = await this.#blobs.create(this.#patience);
    this.#said = answer.reply === "done" ? undefined : answer.error;
    if (answer.reply !== "done" && answer.reply !== "exists") throw this.#error("unavailable");
  }

  async end(): Promise<void> {
    this.#patience = { until: systemClock.monotonic() + END_MS };
    this.#changes = this.#log.files.takeChanges();
    await this.#drive(await this.#mayWrite());
  }

  async discard(): Promise<void> {
    this.#finish();
    const patience = { until: systemClock.monotonic() + RELEASE_MS };
    await this.#blobs?.remove(this.#lease?.id, patience).catch(() => {});
  }

  /** Carries out steps until the turn is to run, or is over. */
  async #drive(first: LeaseOutcome): Promise<void> {
    let came = first;
    try {
      for (;;) {
        const step = this.#protocol.next(came);
        if (step === "run") return;
        if (isEnding(step)) {
          this.#finish();
          if (step !== "kept") throw this.#error(step);
          return;
        }
        came = await this.#carryOut(step);
      }
    } catch (error) {
      // The storage refused, or a token could not be acquired: nobody shall wait for the lease.
      if (this.#lease && !this.#finished) void this.#return();
      this.#finish();
      throw error;
    }
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#lease?.end();
    this.#protocol.free();
  }

  #carryOut(step: Exclude<LeaseStep, LeaseEnding | "run">): Promise<LeaseOutcome> {
    switch (step) {
      case "acquire":
        return this.#acquire();
      case "begin":
        return this.#begin();
      case "tell":
        return this.#tell();
      case "commit":
        return this.#commit();
      case "verify":
        return this.#verify();
      case "release":
        return this.#release();
    }
  }

  async #acquire(): Promise<LeaseOutcome> {
    const asked = systemClock.monotonic();
    const { leaseMs, expireAfterMs } = this.#settings;
    const answer = await this.#blobs.acquire(this.#turn, leaseMs / 1000, this.#patience);
    if (answer.reply === "held") {
      const until = systemClock.monotonic() + AGE_MS;
      const heldMs = await this.#blobs.age({ until, once: true });
      this.#waitMs = leaseModule().busyWaitMs(heldMs, leaseMs);
    }
    if (answer.reply !== "done") return this.#failed(answer);
    if (expireAfterMs !== undefined && answer.value.ageMs > expireAfterMs) {
      await this.#blobs.remove(this.#turn, this.#patience);
      return "missing";
    }
    this.#lease = new HeldLease(this.#blobs, this.#turn, leaseMs, asked);
    this.#lease.lost.addEventListener("abort", () => this.#lost.abort(this.#lease?.lost.reason));
    return "done";
  }

  /** Both requests at once: under the lease nobody else writes. */
  async #begin(): Promise<LeaseOutcome> {
    const line = beginLine(this.#turn);
    const [begun, first] = await Promise.all([
      this.#blobs.append(line, { leaseId: this.#turn }, this.#patience),
      this.#blobs.read(this.#patience),
    ]);
    if (begun.reply !== "done") return this.#failed(begun);
    // Something was written between the two: read what is there now.
    const isStale = first.reply === "done" && first.value.bytes.length < begun.value.from;
    const read = isStale ? await this.#blobs.read(this.#patience) : first;
    if (read.reply !== "done") return this.#failed(read);
    const { bytes, base } = read.value;
    this.#end = Math.max(bytes.length, begun.value.end);
    this.#blocks = begun.value.blocks;
    if (base !== undefined) {
      this.#base = base;
      const imported = await importBase(this.#blobs, base, bytes, this.#log, this.#patience);
      if (imported.reply !== "done") return this.#failed(imported);
      this.#isSplit = imported.value;
    } else this.#log.read(bytes);
    if (this.#log.isVoid(this.#turn)) return "fenced";
    return this.#log.dangling(this.#turn).length > 0 ? "dangling" : "done";
  }

  async #tell(): Promise<LeaseOutcome> {
    const line = voidLine([...this.#log.dangling(this.#turn), this.#turn]);
    return this.#failed(await this.#blobs.append(line, { leaseId: this.#turn }, this.#patience));
  }

  /** One attempt. In a request of its own for each line: there are several if a turn wrote much. */
  async #commit(): Promise<LeaseOutcome> {
    if ((await this.#mayWrite()) === "fenced") return "fenced";
    this.#attempt += 1;
    const [turn, attempt, at] = [this.#turn, this.#attempt, systemClock.now()];
    for (const line of endLines({ turn, attempt, at }, this.#changes)) {
      const where = { leaseId: this.#lease?.id, at: this.#end };
      const answer = await this.#blobs.append(line, where, { ...this.#patience, once: true });
      if (answer.reply === "again") return this.#again(answer);
      if (answer.reply !== "done") return this.#failed(answer);
      this.#end = answer.value.end;
      this.#blocks = answer.value.blocks;
    }
    return "done";
  }

  /** Whether there is time for another attempt to commit, after a wait. */
  async #again(answer: Answer<unknown>): Promise<LeaseOutcome> {
    this.#failed(answer);
    const left = Math.max(0, this.#patience.until - systemClock.monotonic());
    const { retryAfterMs } = whatWasSaid(this.#said);
    const wait = leaseModule().retryWaitMs(this.#attempt, systemClock.random(), retryAfterMs, left);
    if (wait === undefined) return "failed";
    await new Promise<void>((next) => systemClock.setTimeout(next, wait));
    return "again";
  }

  async #verify(): Promise<LeaseOutcome> {
    const answer = await this.#blobs.read(this.#patience);
    if (answer.reply !== "done") return this.#failed(answer);
    const { bytes, base } = answer.value;
    const log = new SessionLog(() => systemClock.now());
    log.read(bytes);
    if (log.hasEnded(this.#turn)) return "done";
    if (base !== this.#base || bytes.length < this.#end) return "fenced";
    if (!isOnlyOf(this.#turn, bytes.subarray(this.#end))) return "fenced";
    this.#end = bytes.length;
    return "missing";
  }

  async #release(): Promise<LeaseOutcome> {
    const lease = this.#lease;
    if (lease && (this.#blocks > this.#settings.blocksPerLog || this.#isSplit)) {
      const ended = [...this.#log.lastEnded, this.#turn];
      await rollOver(this.#blobs, lease.id, this.#log.files.snapshot(), ended, this.#patience).catch(
        () => {},
      );
    }
    lease?.end();
    if (!this.isNew) await this.#return();
    return "done";
  }

  /** Returns the lease. It ends by itself if that fails. */
  async #return(): Promise<void> {
    const patience = { until: systemClock.monotonic() + RELEASE_MS };
    await this.#blobs.release(this.#turn, patience).catch(() => {});
  }

  async #mayWrite(): Promise<"done" | "fenced"> {
    return !this.#lease || (await this.#lease.mayWrite(this.#patience)) ? "done" : "fenced";
  }

  /** The outcome of a request, with what the storage said kept for the error. */
  #failed({ reply, ...rest }: Answer<unknown>): LeaseOutcome {
    if (reply === "done") return "done";
    this.#said = "error" in rest ? rest.error : undefined;
    if (reply === "exists") throw unreadable(this.#said);
    return reply === "again" ? "failed" : reply;
  }

  #error(ending: Exclude<LeaseEnding, "kept">): KeylessError {
    switch (ending) {
      case "busy":
        return sessionBusy(this.#waitMs);
      case "not-found":
        return sessionNotFound();
      case "turn-lost":
        return turnLost();
      case "lease-lost":
        return leaseLost();
      case "unavailable": {
        const what =
          this.#attempt > 0
            ? "Whether the turn is kept is not known, the next one shows it: the conversation could not be written"
            : "The conversation could not be opened";
        return storageUnavailable(what, whatWasSaid(this.#said).said, this.#said);
      }
    }
  }
}

function isEnding(step: LeaseStep): step is LeaseEnding {
  return ENDINGS.includes(step);
}
