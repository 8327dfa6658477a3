import type { CopilotSession, MessageOptions, SessionEvent } from "@github/copilot-sdk";
import { KeylessError } from "../errors/keyless-error.js";
import { homeError, isConnectionLost, isSessionGone, runtimeError } from "../foundry/runtime-error.js";
import type { ModelCallFailure } from "../foundry/session-attachments.js";
import { systemClock, unref } from "../platform/clock.js";
import { withDeadline } from "../platform/with-deadline.js";
import { isEndOfTurn } from "../tokens/errors.js";
import { planModule } from "../wasm/bindings.js";
import type { ConversationOutcome } from "../wasm/modules/plan.js";
import { Attempt, isToolConflict } from "./attempt.js";
import { FirstByteTimer } from "./first-byte.js";
import { type TurnReply, UsageCounter } from "./reply.js";
import { ReplyText } from "./reply-text.js";

/**
 * How long an aborted session may take to become idle, in milliseconds. With a full disk it never
 * does.
 */
const IDLE_MS = 1_000;

/**
 * How often a running turn checks that the runtime is alive, in milliseconds: its death raises no
 * event.
 */
const ALIVE_CHECK_MS = 1_000;

/** How long a turn may take, and the resource may be silent, in milliseconds. */
interface TurnLimits {
  timeoutMs: number;
  firstByteTimeoutMs: number;
}

/** Callbacks that a turn calls. */
export interface TurnListener {
  /** Explains a failed request to the model. */
  explain: (failure: ModelCallFailure["data"]) => KeylessError;
  /** Returns the last failure of the token that is being acquired. */
  waitingFailure: () => KeylessError | undefined;
  /** Never throws. */
  onEvent: (event: SessionEvent) => void;
}

/**
 * One prompt and its reply: the text as it streams, then the whole reply or an error. If the
 * runtime dies, the prompt may be sent again to another one.
 */
export class Turn {
  readonly message: MessageOptions;
  readonly reply: Promise<TurnReply>;
  ended = false;
  readonly #timeoutMs: number;
  readonly #listener: TurnListener;
  readonly #texts: string[] = [];
  #wakeReader: (() => void) | undefined;
  #succeed!: (reply: TurnReply) => void;
  #reject!: (error: unknown) => void;
  #attempt: Attempt | undefined;
  #text = new ReplyText(() => {});
  readonly #counter = new UsageCounter();
  #tokenError: unknown;
  #modelError: KeylessError | undefined;
  /** Whether a tool has run or part of the reply was read: neither may happen twice. */
  #irrevocable = false;
  /** Whether nothing followed a tool that succeeded: a terminal tool ends the turn. */
  #toolIsLast = false;
  /** When the turn's time is up, on the monotonic clock. */
  #deadline = Number.POSITIVE_INFINITY;
  #timer: unknown;
  readonly #firstByte: FirstByteTimer;

  constructor(
    message: MessageOptions,
    { timeoutMs, firstByteTimeoutMs }: TurnLimits,
    listener: TurnListener,
  ) {
    this.message = message;
    this.#timeoutMs = timeoutMs;
    this.#listener = listener;
    this.#firstByte = new FirstByteTimer(firstByteTimeoutMs, () =>
      this.fail(listener.explain({ errorMessage: `no first byte within ${firstByteTimeoutMs} ms` })),
    );
    this.reply = new Promise((succeed, reject) => {
      this.#succeed = succeed;
      this.#reject = reject;
    });
    // A caller that reads the stream gets the same error there.
    this.reply.catch(() => {});
  }

  /** Yields the text of the reply, piece by piece, until the turn ends. */
  async *texts(): AsyncGenerator<string, void, undefined> {
    for (;;) {
      const text = this.#texts.shift();
      if (text !== undefined) {
        this.#irrevocable = true;
        yield text;
      } else if (this.ended) return;
      else
        await new Promise<void>((wake) => {
          this.#wakeReader = wake;
        });
    }
  }

  /** The runtime's id of the prompt, once the session has accepted it. */
  get messageId(): string | undefined {
    return this.#attempt?.messageId;
  }

  /** Whether the prompt may be sent again: no tool has run and no text was read. */
  get maySendAgain(): boolean {
    return !this.#irrevocable;
  }

  /** Starts the turn's timeout, once. */
  startTime(): void {
    if (this.#timer !== undefined || this.ended) return;
    this.#deadline = systemClock.monotonic() + this.#timeoutMs;
    this.#timer = systemClock.setTimeout(() => this.fail(this.#timeoutError()), this.#timeoutMs);
  }

  /**
   * Sends the prompt and follows the session's events until the turn ends, or the session or the
   * runtime is lost.
   */
  async run(session: CopilotSession, isAlive: () => Promise<boolean>): Promise<ConversationOutcome> {
    this.#attempt?.stop();
    this.#texts.length = 0;
    this.#text = new ReplyText((text) => this.#push(text));
    this.#tokenError = undefined;
    this.#modelError = undefined;
    this.#toolIsLast = false;
    const attempt = new Attempt(session, this.message, (event) => this.#handle(event));
    this.#attempt = attempt;
    const over = this.reply.then(
      () => "finished" as const,
      () => "unsettled" as const,
    );
    const refused = attempt.sent.then(
      () => over,
      (error: unknown) => this.#refused(error),
    );
    const outcome = await Promise.race([over, refused, this.#watchRuntime(isAlive, over)]);
    if (outcome !== "unsettled") attempt.stop();
    return outcome;
  }

  /**
   * Makes the session stop working for this turn, which has ended. A prompt that is sent before
   * that would be lost with the one that is being aborted.
   */
  async settle(session: CopilotSession, settleMs: number): Promise<ConversationOutcome> {
    const attempt = this.#attempt;
    if (!attempt) return "finished";
    const becomeIdle = async (): Promise<ConversationOutcome> => {
      try {
        await attempt.sent;
        if (attempt.endedBySession && (await attempt.becomesIdle(IDLE_MS))) return "finished";
        await session.abort();
        await attempt.becomesIdle(IDLE_MS);
        return "finished";
      } catch (error) {
        return isConnectionLost(error) ? "dead" : "restless";
      }
    };
    const outcome = await withDeadline<ConversationOutcome>(becomeIdle(), settleMs, () => "restless");
    attempt.stop();
    return outcome;
  }

  /** Ends the turn with an error. */
  fail(error: unknown): void {
    if (this.ended) return;
    this.#end();
    this.#reject(error);
  }

  /** Ends the turn because its reader has left. */
  abort(): void {
    this.fail(new DOMException("The turn was aborted.", "AbortError"));
  }

  /**
   * Passes on a token, or settles when the turn ends: the runtime cannot abort a turn while it
   * waits for a token.
   */
  token(acquired: Promise<string>): Promise<string> {
    this.#firstByte.stop();
    const ended = this.reply.then(() => acquired);
    return Promise.race([acquired, ended]).then(
      (token) => {
        this.#tokenError = undefined;
        if (!this.ended) this.#firstByte.start();
        return token;
      },
      (error: unknown) => {
        this.#tokenFailed(error);
        throw error;
      },
    );
  }

  /** Keeps the error of the token callback: the runtime only passes on its text. */
  #tokenFailed(error: unknown): void {
    const code = error instanceof KeylessError ? error.code : undefined;
    // The reason for the rejection says more than the fact that the same token came again.
    this.#tokenError = code === "token/rejected-again" ? (this.#modelError ?? error) : error;
    // The turn ends at once, not after the runtime's six attempts.
    if (!(error instanceof KeylessError)) return;
    if (planModule().isFinal(error.code) || isEndOfTurn(error)) this.fail(this.#tokenError);
  }

  #refused(error: unknown): ConversationOutcome {
    if (isSessionGone(error)) return "gone";
    if (isConnectionLost(error)) return "dead";
    this.fail(runtimeError(error, "send"));
    return "unsettled";
  }

  /** Resolves with `dead` if the runtime dies while the turn runs, else with the turn's outcome. */
  async #watchRuntime(
    isAlive: () => Promise<boolean>,
    over: Promise<ConversationOutcome>,
  ): Promise<ConversationOutcome> {
    while (!this.ended) {
      await new Promise<void>((next) => unref(systemClock.setTimeout(next, ALIVE_CHECK_MS)));
      if (!this.ended && !(await isAlive())) return "dead";
    }
    return over;
  }

  /** The code is that of the last failure, if there is one: an outage has the same for all waits. */
  #timeoutError(): KeylessError {
    const failed = this.#tokenError ?? this.#listener.waitingFailure() ?? this.#modelError;
    const message = `The turn took longer than ${this.#timeoutMs} ms.`;
    if (!(failed instanceof KeylessError)) {
      const { silentForMs } = this.#firstByte;
      const seconds = Math.round((silentForMs ?? 0) / 1000);
      const silence = seconds > 0 ? ` The resource has sent nothing for ${seconds} s.` : "";
      return new KeylessError("agent/timeout", `${message}${silence}`, {
        hint: "Raise timeoutMs, or look at the model's load; the turn has been aborted.",
        cause: failed,
      });
    }
    const { code, hint, status, retryable, retryAfterMs } = failed;
    return new KeylessError(code, `${message} The last request had failed: ${failed.message}`, {
      hint,
      status,
      retryable,
      retryAfterMs,
      cause: failed,
    });
  }

  #handle(event: SessionEvent): void {
    this.#listener.onEvent(event);
    if (event.type === "tool.execution_start") this.#irrevocable = true;
    if (event.type === "assistant.usage") this.#counter.add(event);
    if (!this.ended) this.#firstByte.note(event);
    // Sub-agents reply to their parent agent, not to the caller.
    if (event.agentId !== undefined) return;
    switch (event.type) {
      case "assistant.message_delta":
        this.#text.addPiece(event.data.messageId, event.data.deltaContent);
        break;
      case "assistant.message":
        this.#text.complete(event.data.messageId, event.data.content);
        this.#toolIsLast = false;
        break;
      case "tool.execution_complete":
        this.#toolIsLast = event.data.success;
        break;
      case "model.call_failure":
        // A failure without a status repeats the token error before it.
        if (event.data.statusCode !== undefined) this.#tokenError = undefined;
        this.#modelError = this.#listener.explain(event.data);
        this.#failIfRetryIsTooLate(this.#modelError);
        break;
      case "session.error":
        this.fail(
          this.#tokenError ?? this.#modelError ?? turnFailed(event.data.statusCode, event.data.message),
        );
        break;
      case "session.idle":
        if (this.#text.last === "" && !this.#toolIsLast)
          this.fail(this.#tokenError ?? this.#modelError ?? noReply());
        else this.#finish(this.#text.last);
        break;
    }
  }

  /**
   * Fails at once if the resource asks for a longer wait than the turn has left: the runtime would
   * wait that long.
   */
  #failIfRetryIsTooLate(error: KeylessError): void {
    const { retryAfterMs = 0 } = error;
    if (systemClock.monotonic() + retryAfterMs > this.#deadline) this.fail(error);
  }

  #push(text: string): void {
    this.#texts.push(text);
    this.#wake();
  }

  #finish(text: string): void {
    if (this.ended) return;
    this.#end();
    const { model, usage } = this.#counter;
    this.#succeed({ text, model, usage });
  }

  #end(): void {
    this.ended = true;
    this.#firstByte.stop();
    systemClock.clearTimeout(this.#timer);
    this.#wake();
  }

  #wake(): void {
    this.#wakeReader?.();
    this.#wakeReader = undefined;
  }
}

/** The error of a turn that the runtime ended for a reason other than a failed request. */
function turnFailed(status: number | undefined, said: string): KeylessError {
  const home = said.includes("persist session events") ? homeError(said) : undefined;
  if (home) return home;
  if (isToolConflict(said)) {
    return new KeylessError("agent/invalid-option", `The runtime refused a tool: ${said}`, {
      hint: "Rename the tool, or set overridesBuiltInTool: true on it to put it in the place of the built-in one.",
    });
  }
  return new KeylessError("model/request-failed", `The Copilot runtime ended the turn: ${said}`, {
    status,
    hint: "Send it again; if it keeps failing, look at the session's events.",
  });
}

function noReply(): KeylessError {
  return new KeylessError("agent/no-reply", "The turn ended without a reply", {
    hint: "Try again; if it keeps failing, look at the session's events.",
  });
}
