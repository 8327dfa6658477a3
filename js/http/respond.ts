import { KeylessError } from "../errors/keyless-error.js";
import { systemClock, unref } from "../platform/clock.js";
import { withDeadline } from "../platform/with-deadline.js";
import { Body } from "./body.js";
import type {
  ChatCall,
  ChatEngine,
  ChatLimits,
  ChatLogEntry,
  ChatResponse,
  ChatTurn,
  EngineEvent,
  EngineResult,
  Wire,
} from "./contract.js";
import { CLIENT_CLOSED, chatError, clientClosed, closing, problem, slowReader } from "./problem.js";
import { isCancellation } from "./request.js";
import { type Resumption, streamNotFound } from "./resume.js";
import { RELEASE_MS, type Slot, type Slots } from "./slots.js";
import { unlessAborted } from "./unless-aborted.js";
import { ChatWire, EVENTS_TYPE, JSON_TYPE } from "./wire.js";

/** Settings of all calls of an app. */
export interface ChatSettings {
  engine: ChatEngine;
  /** Lets streamed replies outlive their connection. */
  resumption?: Resumption | undefined;
  limits: ChatLimits;
  slots: Slots;
  /** The deadline of a call, from its arrival to the last byte of its response, in milliseconds. */
  deadlineMs: number;
  /** Whether the app was closed. */
  isClosed: () => boolean;
  /** Whether callers receive the messages of the app's own errors. */
  expose: boolean;
}

type Step = IteratorResult<EngineEvent, EngineResult>;

/** Responds to a call. Never rejects. */
export async function respond(call: ChatCall, settings: ChatSettings): Promise<ChatResponse> {
  const exchange = new Exchange(call, settings);
  try {
    return await exchange.answer();
  } catch (error) {
    return exchange.refuse(error);
  }
}

/** One call, from its arrival to the last byte of its response. */
class Exchange {
  readonly #call: ChatCall;
  readonly #settings: ChatSettings;
  readonly #wire: Wire;
  readonly #started = systemClock.monotonic();
  readonly #body: Body;
  /** Aborts everything that the call waits for, with the reason. */
  readonly #stop = new AbortController();
  readonly #deadline: unknown;
  #slot: Slot | undefined;
  #turn: ChatTurn | undefined;
  #ended = false;
  /** Fails the stream while its reader stalls. */
  #failStream: ((error: unknown) => void) | undefined;
  #stall: unknown;
  readonly #onDisconnect = () => this.#interrupt(clientClosed());

  constructor(call: ChatCall, settings: ChatSettings) {
    this.#call = call;
    this.#settings = settings;
    this.#wire = call.wire ?? new ChatWire(call);
    const { deadlineMs } = settings;
    this.#deadline = systemClock.setTimeout(() => this.#interrupt(timeout(deadlineMs)), deadlineMs);
    this.#body = new Body(call, settings.limits);
    call.signal.addEventListener("abort", this.#onDisconnect);
    if (call.signal.aborted) this.#onDisconnect();
  }

  /** Returns the response. A streamed one begins here. */
  async answer(): Promise<ChatResponse> {
    const { slots, engine, resumption, limits, isClosed } = this.#settings;
    if (isClosed()) throw closing();
    this.#wire.checkHead();
    const eventId = this.#wire.resumable ? this.#call.headers.get("last-event-id") : null;
    const { signal } = this.#stop;
    signal.throwIfAborted();
    this.#slot = (eventId === null ? slots : (resumption?.slots ?? slots)).take();
    const caller = await unlessAborted((async () => this.#call.caller())(), signal);
    this.#slot.claim(caller);
    const body = await unlessAborted(this.#body.bytes, signal);
    // The signal may have aborted meanwhile.
    signal.throwIfAborted();
    if (isClosed()) throw closing();
    if (eventId !== null) return this.#resume(eventId, caller, isCancellation(body));
    const { request, streamed } = this.#wire.read(body, limits);
    if (!streamed) {
      this.#turn = engine(request, { caller, signal });
      return this.#respondJson();
    }
    this.#turn =
      resumption && this.#wire.resumable
        ? resumption.begin(engine, request, { caller, signal, slot: this.#slot })
        : engine(request, { caller, signal });
    return this.#respondStream();
  }

  /** Responds with the events of a reply after one of them, or ends the reply. */
  async #resume(eventId: string, caller: string, cancels: boolean): Promise<ChatResponse> {
    const { resumption } = this.#settings;
    if (!resumption) throw streamNotFound();
    if (!cancels) {
      this.#turn = resumption.resume(eventId, { caller, signal: this.#stop.signal });
      return this.#respondStream();
    }
    await resumption.cancel(eventId, caller);
    this.#end(200);
    return this.#response(200, JSON_TYPE, {}, JSON.stringify({ cancelled: true }));
  }

  /** Responds with the whole reply in JSON. */
  async #respondJson(): Promise<ChatResponse> {
    let step = await this.#next();
    while (!step.done) step = await this.#next();
    this.#end(200);
    return this.#response(200, JSON_TYPE, {}, JSON.stringify(this.#wire.json(step.value)));
  }

  /**
   * Streams the reply. The response begins with the first event, so that an earlier failure has its
   * own status; at the latest it begins after the heartbeat interval.
   */
  async #respondStream(): Promise<ChatResponse> {
    let pending: Promise<Step> | undefined = this.#next();
    const first = await this.#orHeartbeat(pending);
    this.#stop.signal.throwIfAborted();
    // From here on the deadline need not keep the process alive.
    unref(this.#deadline);
    const encoder = new TextEncoder();
    let nextStep: Step | undefined = first;
    let heartbeatDue = first === undefined;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => this.#awaitReader(controller),
        pull: async (controller) => {
          this.#clearStall();
          const send = (text: string) => controller.enqueue(encoder.encode(text));
          try {
            await this.#ready();
            if (!heartbeatDue && nextStep === undefined) {
              pending ??= this.#next();
              nextStep = await this.#orHeartbeat(pending);
            }
            this.#stop.signal.throwIfAborted();
            const step = nextStep;
            nextStep = undefined;
            heartbeatDue = false;
            if (step === undefined) {
              send(": still at work\n\n");
              return this.#awaitReader(controller);
            }
            pending = undefined;
            if (!step.done) {
              send(this.#wire.event(step.value, this.#turn?.eventId?.()));
              return this.#awaitReader(controller);
            }
            send(this.#wire.done(step.value, this.#turn?.eventId?.()));
            this.#end(200);
          } catch (error) {
            const failure = this.#fail(error);
            // A caller that disconnected has cancelled the stream.
            if (failure.status === CLIENT_CLOSED) return controller.error(error);
            send(this.#wire.failed(failure));
          }
          controller.close();
        },
        cancel: () => this.#onDisconnect(),
      },
      { highWaterMark: 0 },
    );
    return this.#response(200, EVENTS_TYPE, { "x-accel-buffering": "no" }, body);
  }

  /** Responds with an error. */
  async refuse(error: unknown): Promise<ChatResponse> {
    const failure = this.#fail(error);
    const { status, headers } = failure;
    await this.#body.refuse(status);
    const body = JSON.stringify(this.#wire.problem(failure));
    return this.#response(status, "application/problem+json", headers, body);
  }

  async #next(): Promise<Step> {
    if (!this.#turn) throw clientClosed();
    return unlessAborted(this.#turn.next(), this.#stop.signal);
  }

  /** Returns the step, or undefined after the heartbeat interval. */
  #orHeartbeat(step: Promise<Step>): Promise<Step | undefined> {
    step.catch(() => {});
    return withDeadline<Step | undefined>(step, this.#settings.limits.heartbeatMs, () => undefined);
  }

  /** Waits until the transport accepts more. Ignores other errors than a {@link KeylessError}. */
  async #ready(): Promise<void> {
    const { ready } = this.#call;
    if (!ready) return;
    await unlessAborted((async () => ready())(), this.#stop.signal).catch((error: unknown) => {
      if (error instanceof KeylessError) throw error;
    });
  }

  /** Starts the stall timer. The stream's reader stops it when it asks for the next event. */
  #awaitReader(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const { stallMs } = this.#settings.limits;
    this.#failStream = (error) => controller.error(error);
    this.#stall = systemClock.setTimeout(() => this.#interrupt(slowReader(stallMs)), stallMs);
    unref(this.#stall);
  }

  #clearStall(): void {
    this.#failStream = undefined;
    systemClock.clearTimeout(this.#stall);
  }

  /** Ends the call while it waits. */
  #interrupt(error: unknown): void {
    const failStream = this.#failStream;
    this.#clearStall();
    if (this.#ended && !failStream) return;
    this.#fail(error);
    failStream?.(error);
  }

  #fail(error: unknown) {
    this.#stop.abort(error);
    const { signal, correlationId } = this.#call;
    const result = problem(signal.aborted ? clientClosed() : error, correlationId, this.#settings.expose);
    const { status, code, detail } = result;
    this.#end(status, { code, detail });
    return result;
  }

  /** Releases all resources and logs the outcome. Later calls do nothing. */
  #end(status: number, failure: { code?: string; detail?: string } = {}): void {
    if (this.#ended) return;
    this.#ended = true;
    const { signal, correlationId, log } = this.#call;
    signal.removeEventListener("abort", this.#onDisconnect);
    systemClock.clearTimeout(this.#deadline);
    systemClock.clearTimeout(this.#stall);
    // A turn that waits for its reader would wait forever; a running one ends by the abort.
    const turnEnd = this.#turn?.return(undefined as never);
    const slot = this.#slot;
    if (!turnEnd) slot?.release();
    else {
      const release = () => slot?.release();
      withDeadline<unknown>(turnEnd, RELEASE_MS, () => {}).then(release, release);
    }
    const durationMs = Math.round(systemClock.monotonic() - this.#started);
    const entry = { ...outcome(status, failure?.code), correlationId, durationMs, status, ...failure };
    // Ignore a logger that throws, or whose promise is rejected.
    (async () => log(entry))().catch(() => {});
  }

  #response(
    status: number,
    type: string,
    headers: Record<string, string>,
    body: ChatResponse["body"],
  ): ChatResponse {
    return {
      status,
      headers: {
        ...headers,
        ...this.#wire.headers(status),
        "content-type": type === EVENTS_TYPE ? `${type}; charset=utf-8` : type,
        "cache-control": "no-store",
        vary: "accept",
        "x-content-type-options": "nosniff",
        "x-correlation-id": this.#call.correlationId,
      },
      body,
    };
  }
}

function outcome(status: number, code: string | undefined): Pick<ChatLogEntry, "level" | "message"> {
  if (status === CLIENT_CLOSED) return { level: "info", message: "chat left by its caller" };
  // Every restart refuses some: nothing to look into.
  if (code === "chat/closing") return { level: "info", message: "chat refused" };
  if (status >= 500) return { level: "error", message: "chat failed" };
  if (status >= 400) return { level: "warn", message: "chat refused" };
  return { level: "info", message: "chat answered" };
}

function timeout(deadlineMs: number) {
  return chatError(
    "chat/timeout",
    504,
    `The reply took longer than ${deadlineMs} ms`,
    "Try again, or ask for less.",
  );
}
