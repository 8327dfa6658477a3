import { systemClock } from "../clock.js";
import { within } from "../within.js";
import { bestType } from "./accept.js";
import type {
  ChatCall,
  ChatEngine,
  ChatEvent,
  ChatLimits,
  ChatLogEntry,
  ChatResponse,
  ChatResult,
} from "./contract.js";
import { chatError, problem } from "./problem.js";
import { readRequest } from "./request.js";
import type { Slots } from "./slots.js";

const JSON_TYPE = "application/json";
const EVENTS_TYPE = "text/event-stream";

/** What holds for all calls of an app. */
export interface ChatSettings {
  engine: ChatEngine;
  limits: ChatLimits;
  slots: Slots;
  /** Whether callers get to read what an error of the app's own says. */
  expose: boolean;
}

type Step = IteratorResult<ChatEvent, ChatResult>;

/** Answers one call. Never rejects. */
export async function respond(call: ChatCall, settings: ChatSettings): Promise<ChatResponse> {
  const exchange = new Exchange(call, settings);
  try {
    const streamed = accepted(call) === EVENTS_TYPE;
    const request = await readRequest(call, settings.limits);
    exchange.begin(settings.slots.take(), (signal) =>
      settings.engine(request, { caller: call.caller(), signal }),
    );
    return streamed ? await exchange.stream() : await exchange.whole();
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
  readonly #stop = new AbortController();
  #turn: AsyncGenerator<ChatEvent, ChatResult, undefined> | undefined;
  #release: () => void = () => {};
  #ended = false;
  readonly #left = () => void this.#fail(gone());

  constructor(call: ChatCall, settings: ChatSettings) {
    this.#call = call;
    this.#settings = settings;
  }

  begin(
    release: () => void,
    turn: (signal: AbortSignal) => AsyncGenerator<ChatEvent, ChatResult, undefined>,
  ) {
    this.#release = release;
    this.#turn = turn(this.#stop.signal);
    const { signal } = this.#call;
    signal.addEventListener("abort", this.#left);
    if (signal.aborted) this.#left();
  }

  /** The whole reply in JSON. */
  async whole(): Promise<ChatResponse> {
    let step = await this.#next();
    while (!step.done) step = await this.#next();
    this.#end(200);
    return this.#answer(200, JSON_TYPE, {}, JSON.stringify(step.value));
  }

  /**
   * The reply as it comes. The answer begins with the first event, so that what fails before has its own status; but after a
   * heartbeat's time it begins all the same.
   */
  async stream(): Promise<ChatResponse> {
    let pending: Promise<Step> | undefined = this.#next();
    const first = await this.#orHeartbeat(pending);
    const encoder = new TextEncoder();
    let waiting: Step | undefined = first;
    let beats = first === undefined;
    const body = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const say = (text: string) => controller.enqueue(encoder.encode(text));
          try {
            await this.#call.ready?.();
            if (!beats && waiting === undefined) {
              pending ??= this.#next();
              waiting = await this.#orHeartbeat(pending);
            }
            const step = waiting;
            waiting = undefined;
            beats = false;
            if (step === undefined) return say(": still at work\n\n");
            pending = undefined;
            if (!step.done) {
              const { type, ...data } = step.value;
              return say(event(type, data));
            }
            const { reply: _, ...data } = step.value;
            say(event("done", data));
            this.#end(200);
          } catch (error) {
            const { body: data } = this.#fail(error);
            say(event("error", data));
          }
          controller.close();
        },
        cancel: () => void this.#fail(gone()),
      },
      { highWaterMark: 0 },
    );
    return this.#answer(200, EVENTS_TYPE, { "x-accel-buffering": "no" }, body);
  }

  /** An error in the place of a reply. */
  refuse(error: unknown): ChatResponse {
    const { status, headers, body } = this.#fail(error);
    return this.#answer(status, "application/problem+json", headers, JSON.stringify(body));
  }

  async #next(): Promise<Step> {
    if (!this.#turn) throw gone();
    return this.#turn.next();
  }

  /** The step, or nothing if it takes longer than silence may last. */
  #orHeartbeat(step: Promise<Step>): Promise<Step | undefined> {
    step.catch(() => {});
    return within<Step | undefined>(step, this.#settings.limits.heartbeatMs, () => undefined);
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
    // A turn that waits for its reader would wait for ever; one that runs ends by the abort.
    const over = this.#turn?.return(undefined as never);
    const release = this.#release;
    if (over) over.then(release, release);
    else release();
    const durationMs = Math.round(systemClock.monotonic() - this.#started);
    log({ ...outcome(status), correlationId, durationMs, status, ...failure });
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

/** Nobody gets to read it; the log does. */
function gone() {
  return chatError("chat/client-closed", LEFT, "The caller has left");
}

/** What nginx, and the Functions host, log where nobody waits for the answer any more. */
const LEFT = 499;
