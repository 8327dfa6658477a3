import { type ChatCall, type ChatResponse, DEFAULT_TIMEOUT_MS } from "../http/contract.js";
import { respond } from "../http/respond.js";
import { Resumption } from "../http/resume.js";
import { Slots } from "../http/slots.js";
import { LONGEST_TIMER_MS } from "../platform/clock.js";
import { withDeadline } from "../platform/with-deadline.js";
import { checkedModels, limitsOf, type ServiceLimits, type ServiceOptions } from "./options.js";
import { type ChatStatus, ChatWorker, type WorkerSettings } from "./worker.js";

/** How a handler closes. */
export interface CloseOptions {
  /**
   * How long running turns may go on, in milliseconds; then they end with 503. Default 5,000. 0 ends
   * them at once.
   */
  drainMs?: number | undefined;
}

/** What differs between the handlers. */
export interface ServiceSettings extends WorkerSettings {
  /** Whether callers are told apart. */
  identified: boolean;
  /** Whether callers see the app's own errors, unless `exposeErrors` says so. */
  expose?: boolean;
}

const DRAIN_MS = 5_000;

/** The state that all calls of a handler share: runtime, tokens, conversations and limits. */
export class ChatService {
  readonly limits: ServiceLimits;
  readonly #slots: Slots;
  readonly #worker: ChatWorker;
  readonly #settings: Parameters<typeof respond>[1];
  #closing: Promise<void> | undefined;
  /** Ends the wait for running turns. */
  #endDrain: () => void = () => {};
  readonly #drained = new Promise<void>((resolve) => {
    this.#endDrain = resolve;
  });

  constructor(options: ServiceOptions, { identified, expose = false, ...settings }: ServiceSettings) {
    const { models, limits: given, exposeErrors, resumeMs = 0, ...rest } = options;
    const limits = limitsOf(given, identified);
    const worker = new ChatWorker(rest, checkedModels(models), limits, settings);
    const { bodyMs, callerMs, stallMs } = limits;
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    this.limits = limits;
    this.#slots = new Slots(limits);
    this.#worker = worker;
    this.#settings = {
      engine: worker.answer.bind(worker),
      resumption: resumeMs > 0 ? new Resumption(resumeMs, limits) : undefined,
      limits,
      slots: this.#slots,
      // The agent ends a turn earlier and says why. This is for turns that hang.
      deadlineMs: Math.min(callerMs + bodyMs + timeoutMs + stallMs, LONGEST_TIMER_MS),
      isClosed: () => this.#closing !== undefined,
      expose: exposeErrors ?? expose,
    };
  }

  /** Responds to a call. Never rejects. */
  respond(call: ChatCall): Promise<ChatResponse> {
    return respond(call, this.#settings);
  }

  /** Starts the runtime and acquires the first token, before the first request. */
  start(): Promise<void> {
    return this.#worker.start();
  }

  /** Fulfilled when the handler has prepared for its first request, whether or not that failed. */
  get prepared(): Promise<void> {
    return this.#worker.prepared;
  }

  /** Sends no request and starts nothing. */
  status(): ChatStatus {
    const { taken: turns } = this.#slots;
    const status = this.#worker.status();
    if (this.#closing && status.state !== "closed")
      return { ...status, state: "closing", healthy: false, turns };
    return { ...status, turns };
  }

  /** Refuses new calls, waits for running turns, and ends everything. A second call may hasten it. */
  close({ drainMs = DRAIN_MS }: CloseOptions = {}): Promise<void> {
    withDeadline(this.#slots.idle(), Math.min(drainMs, LONGEST_TIMER_MS), () => {}).then(this.#endDrain);
    this.#closing ??= this.#drained.then(() => this.#worker.close());
    return this.#closing;
  }
}
