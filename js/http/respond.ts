import { KeylessError } from "../errors/keyless-error.js";
import { systemClock, unref } from "../platform/clock.js";
import { withDeadline } from "../platform/with-deadline.js";
import { bestType } from "./accept.js";
import { Body } from "./body.js";
import type {
  ChatCall,
  ChatEngine,
  ChatEvent,
  ChatLimits,
  ChatLogEntry,
  ChatResponse,
  ChatResult,
} from "./contract.js";
import { chatError, closing, problem, slowReader } from "./problem.js";
import { checkHead, parseRequest } from "./request.js";
import type { Slot, Slots } from "./slots.js";
import { unlessAborted } from "./unless-aborted.js";

const JSON_TYPE = "application/json";
const EVENTS_TYPE = "text/event-stream";

/** What holds for all calls of an app. */
export interface ChatSettings {
  engine: ChatEngine;
  limits: ChatLimits;
  slots: Slots;
  /** How long a call may take, from its arrival to the last byte of its answer, in milliseconds. */
  deadlineMs: number;
  /** Whether the app has been told to end. */
  isClosed: () => boolean;
  /** Whether callers get to read what an error of the app's own says. */
  expose: boolean;
}

type Step = IteratorResult<ChatEvent, ChatResult>;

/** Answers one call. Never rejects. */
export async function respond(call: ChatCall, settings: ChatSettings): Promise<ChatResponse> {
  const exchange = new Exchange(call, settings);
  try {
    return await exchange.answer();
  } catch (error) {
    return exchange.refuse(error);
  }
}

function accepted({ headers }: ChatCall): string {
  // JSON first: it is what a caller gets who does not say.
  const best = bestType(headers.get("accept"), [JSON_TYPE, EVENTS_TYPE]);
  if (best !== undefined) return best;
  throw chatError("chat/not-acceptable", 406, `Replies are ${JSON_TYPE} or ${EVENTS_TYPE}`);
}

/** One call and its turn, from the first byte to the last. */
class Exchange {
  readonly #call: ChatCall;
  readonly #settings: ChatSettings;
  readonly #started = systemClock.monotonic();
  readonly #body: Body;
  /** Aborted, with the reason, when the call cannot go on: all that is waited for ends with it. */
  readonly #stop = new AbortController();
  readonly #deadline: unknown;
  #slot: Slot | undefined;
  #turn: AsyncGenerator<ChatEvent, ChatResult, undefined> | undefined;
  #ended = false;
  /** Cuts the stream off while its reader takes nothing. */
  #cutOff: ((error: unknown) => void) | undefined;
  #stall: unknown;
  readonly #left = () => this.#interrupt(gone());

  constructor(call: ChatCall, settings: ChatSettings) {
    this.#call = call;
    this.#settings = settings;
    const { deadlineMs } = settings;
    this.#deadline = systemClock.setTimeout(() => this.#interrupt(late(deadlineMs)), deadlineMs);
    this.#body = new Body(call, settings.limits);
    call.signal.addEventListener("abort", this.#left);
    if (call.signal.aborted) this.#left();
  }

  /** The answer, or its beginning. */
  async answer(): Promise<ChatResponse> {
    const { slots, engine, limits, isClosed } = this.#settings;
    if (isClosed()) throw closing();
    checkHead(this.#call);
    const type = accepted(this.#call);
    const { signal } = this.#stop;
    signal.throwIfAborted();
    this.#slot = slots.take();
    const caller = await unlessAborted((async () => this.#call.caller())(), signal);
    this.#slot.claim(caller);
    const request = parseRequest(await unlessAborted(this.#body.bytes, signal), limits);
    // It may have been stopped since that was settled.
    signal.throwIfAborted();
    if (isClosed()) throw closing();
    this.#turn = engine(request, { caller, signal });
    return type === EVENTS_TYPE ? this.#stream() : this.#whole();
  }

  /** The whole reply in JSON. */
  async #whole(): Promise<ChatResponse> {
    let step = await this.#next();
    while (!step.done) step = await this.#next();
    this.#end(200);
    return this.#answer(200, JSON_TYPE, {}, JSON.stringify(step.value));
  }

  /**
   * The reply as it comes. The answer begins with the first event, so that what fails before has its own status; but after a
   * heartbeat's time it begins all the same.
   */
  async #stream(): Promise<ChatResponse> {
    let pending: Promise<Step> | undefined = this.#next();
    const first = await this.#orHeartbeat(pending);
    this.#stop.signal.throwIfAborted();
    // From here on nobody may wait for this.
    unref(this.#deadline);
    const encoder = new TextEncoder();
    let waiting: Step | undefined = first;
    let beats = first === undefined;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => this.#awaitReader(controller),
        pull: async (controller) => {
          this.#readerIsBack();
          const say = (text: string) => controller.enqueue(encoder.encode(text));
          try {
            await this.#ready();
            if (!beats && waiting === undefined) {
              pending ??= this.#next();
              waiting = await this.#orHeartbeat(pending);
            }
            this.#stop.signal.throwIfAborted();
            const step = waiting;
            waiting = undefined;
            beats = false;
            if (step === undefined) {
              say(": still at work\n\n");
              return this.#awaitReader(controller);
            }
            pending = undefined;
            if (!step.done) {
              const { type, ...data } = step.value;
              say(event(type, data));
              return this.#awaitReader(controller);
            }
            const { reply: _, ...data } = step.value;
            say(event("done", data));
            this.#end(200);
          } catch (error) {
            const { status, body: data } = this.#fail(error);
            // Who has left has cancelled the stream.
            if (status === LEFT) return controller.error(error);
            say(event("error", data));
          }
          controller.close();
        },
        cancel: () => this.#left(),
      },
      { highWaterMark: 0 },
    );
    return this.#answer(200, EVENTS_TYPE, { "x-accel-buffering": "no" }, body);
  }

  /** An error in the place of a reply. */
  async refuse(error: unknown): Promise<ChatResponse> {
    const { status, headers, body } = this.#fail(error);
    await this.#body.refuse(status);
    return this.#answer(status, "application/problem+json", headers, JSON.stringify(body));
  }

  async #next(): Promise<Step> {
    if (!this.#turn) throw gone();
    return unlessAborted(this.#turn.next(), this.#stop.signal);
  }

  /** The step, or nothing if it takes longer than silence may last. */
  #orHeartbeat(step: Promise<Step>): Promise<Step | undefined> {
    step.catch(() => {});
    return withDeadline<Step | undefined>(step, this.#settings.limits.heartbeatMs, () => undefined);
  }

  /** Waits for a transport that can take more. One that cannot tell is no reason to fail. */
  async #ready(): Promise<void> {
    const { ready } = this.#call;
    if (!ready) return;
    await unlessAborted((async () => ready())(), this.#stop.signal).catch((error: unknown) => {
      if (error instanceof KeylessError) throw error;
    });
  }

  /** The next event is wanted when the stream's reader has taken the last one. */
  #awaitReader(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const { stallMs } = this.#settings.limits;
    this.#cutOff = (error) => controller.error(error);
    this.#stall = systemClock.setTimeout(() => this.#interrupt(slowReader(stallMs)), stallMs);
    unref(this.#stall);
  }

  #readerIsBack(): void {
    this.#cutOff = undefined;
    systemClock.clearTimeout(this.#stall);
  }

  /** Ends the call from outside of what it waits for. */
  #interrupt(error: unknown): void {
    const cutOff = this.#cutOff;
    this.#readerIsBack();
    if (this.#ended && !cutOff) return;
    this.#fail(error);
    cutOff?.(error);
  }

  #fail(error: unknown) {
    this.#stop.abort(error);
    const { signal, correlationId } = this.#call;
    const told = problem(signal.aborted ? gone() : error, correlationId, this.#settings.expose);
    const { status, code, detail } = told;
    this.#end(status, { code, detail });
    return told;
  }

  /** Lets go of everything, and says so in the log. Only the first time counts. */
  #end(status: number, failure: { code?: string; detail?: string } = {}): void {
    if (this.#ended) return;
    this.#ended = true;
    const { signal, correlationId, log } = this.#call;
    signal.removeEventListener("abort", this.#left);
    systemClock.clearTimeout(this.#deadline);
    systemClock.clearTimeout(this.#stall);
    // A turn that waits for its reader would wait for ever; one that runs ends by the abort.
    const over = this.#turn?.return(undefined as never);
    const slot = this.#slot;
    if (!over) slot?.release();
    else {
      const release = () => slot?.release();
      withDeadline<unknown>(over, RELEASE_MS, () => {}).then(release, release);
    }
    const durationMs = Math.round(systemClock.monotonic() - this.#started);
    const entry = { ...outcome(status), correlationId, durationMs, status, ...failure };
    // A logger's fault is not the caller's, whether it throws or its promise is rejected.
    (async () => log(entry))().catch(() => {});
  }

  #answer(
    status: number,
    type: string,
    headers: Record<string, string>,
    body: ChatResponse["body"],
  ): ChatResponse {
    return {
      status,
      headers: {
        ...headers,
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

function outcome(status: number): Pick<ChatLogEntry, "level" | "message"> {
  if (status === LEFT) return { level: "info", message: "chat left by its caller" };
  if (status >= 500) return { level: "error", message: "chat failed" };
  if (status >= 400) return { level: "warn", message: "chat refused" };
  return { level: "info", message: "chat answered" };
}

/** One server-sent event. JSON has no line breaks outside of its escapes, so that one line of data holds it. */
function event(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

function late(deadlineMs: number) {
  return chatError(
    "chat/timeout",
    504,
    `The reply took longer than ${deadlineMs} ms`,
    "Ask again, or for less.",
  );
}

/** Nobody gets to read it; the log does. */
function gone() {
  return chatError("chat/client-closed", LEFT, "The caller has left");
}

/** How long a turn that was ended may take to let go, before its slot is free all the same. */
const RELEASE_MS = 1_000;

/** What nginx, and the Functions host, log where nobody waits for the answer any more. */
const LEFT = 499;
