import type { CopilotSession, SessionEvent } from "@github/copilot-sdk";
import { KeylessError } from "../errors/keyless-error.js";
import { homeError, isConnectionLost, isSessionGone, runtimeError } from "../foundry/runtime-error.js";
import type { ModelCallFailure } from "../foundry/session-watch.js";
import { systemClock, unref } from "../platform/clock.js";
import { withDeadline } from "../platform/with-deadline.js";
import type { ConversationOutcome } from "../wasm/modules/plan.js";
import { Attempt } from "./attempt.js";
import { ReplyText } from "./reply-text.js";

/** Token errors that no repetition fixes: the turn ends at once, not after the runtime's six attempts. */
const FINAL = new Set([
  "credential/configuration",
  "credential/failed",
  "credential/not-installed",
  "credential/refused",
  "credential/unavailable",
  "provider/scope",
  "token/claims-challenge",
  "token/closed",
  "token/empty",
  "token/malformed",
  "token/rejected-again",
  "token/timeout",
]);

/** How long a session that was told to abort may take to become quiet. One whose disk is full never does. */
const IDLE_MS = 1_000;

/** How often a running turn looks whether the runtime still lives: its end raises no event. */
const PULSE_MS = 1_000;

/** Callbacks that a turn calls. */
export interface TurnListener {
  /** What a failed request to the model means. */
  explain: (failure: ModelCallFailure["data"]) => KeylessError;
  /** Never throws. */
  onEvent: (event: SessionEvent) => void;
}

/**
 * One prompt and its reply: the text as it streams, then the whole reply or an error. Where the runtime dies meanwhile, the prompt may be
 * sent again, to another one.
 */
export class Turn {
  readonly prompt: string;
  readonly reply: Promise<string>;
  ended = false;
  readonly #timeoutMs: number;
  readonly #listener: TurnListener;
  readonly #texts: string[] = [];
  #more: (() => void) | undefined;
  #succeed!: (reply: string) => void;
  #reject!: (error: unknown) => void;
  #attempt: Attempt | undefined;
  #text = new ReplyText(() => {});
  #tokenError: unknown;
  #modelError: KeylessError | undefined;
  /** Whether a tool has run, or somebody has read a part of the reply: neither may happen twice. */
  #irrevocable = false;
  /** When the turn's time is up, by the monotonic clock. */
  #deadline = Number.POSITIVE_INFINITY;
  #timer: unknown;

  constructor(prompt: string, timeoutMs: number, listener: TurnListener) {
    this.prompt = prompt;
    this.#timeoutMs = timeoutMs;
    this.#listener = listener;
    this.reply = new Promise((succeed, reject) => {
      this.#succeed = succeed;
      this.#reject = reject;
    });
    // The caller may be reading the texts, which end with the same error.
    this.reply.catch(() => {});
  }

  /** The text of the reply, piece by piece, to its end or its error. */
  async *texts(): AsyncGenerator<string, void, undefined> {
    for (;;) {
      const text = this.#texts.shift();
      if (text !== undefined) {
        this.#irrevocable = true;
        yield text;
      } else if (this.ended) return;
      else
        await new Promise<void>((more) => {
          this.#more = more;
        });
    }
  }

  /** The runtime's id of the prompt, once the session has taken it. */
  get messageId(): string | undefined {
    return this.#attempt?.messageId;
  }

  /** Whether nothing has come of the prompt that must not happen twice. */
  get maySendAgain(): boolean {
    return !this.#irrevocable;
  }

  /** Starts the turn's time, once. */
  startTime(): void {
    if (this.#timer !== undefined || this.ended) return;
    this.#deadline = systemClock.monotonic() + this.#timeoutMs;
    this.#timer = systemClock.setTimeout(() => this.fail(this.#late()), this.#timeoutMs);
  }

  /** Sends the prompt and follows the session's events, until the turn is over, or its session or runtime is lost. */
  async run(session: CopilotSession, isAlive: () => Promise<boolean>): Promise<ConversationOutcome> {
    this.#attempt?.leave();
    this.#texts.length = 0;
    this.#text = new ReplyText((text) => this.#push(text));
    this.#tokenError = undefined;
    this.#modelError = undefined;
    const attempt = new Attempt(session, this.prompt, (event) => this.#follow(event));
    this.#attempt = attempt;
    const over = this.reply.then(
      () => "finished" as const,
      () => "unsettled" as const,
    );
    const refused = attempt.sent.then(
      () => over,
      (error: unknown) => this.#refused(error),
    );
    const outcome = await Promise.race([over, refused, this.#death(isAlive, over)]);
    if (outcome !== "unsettled") attempt.leave();
    return outcome;
  }

  /**
   * Makes the session stop working for this turn, which is over. The next prompt, sent too early, would be lost with the one that is being
   * aborted.
   */
  async settle(session: CopilotSession, settleMs: number): Promise<ConversationOutcome> {
    const attempt = this.#attempt;
    if (!attempt) return "finished";
    const quiet = async (): Promise<ConversationOutcome> => {
      try {
        await attempt.sent;
        if (attempt.endedBySession && (await attempt.quiet(IDLE_MS))) return "finished";
        await session.abort();
        await attempt.quiet(IDLE_MS);
        return "finished";
      } catch (error) {
        return isConnectionLost(error) ? "dead" : "restless";
      }
    };
    const outcome = await withDeadline<ConversationOutcome>(quiet(), settleMs, () => "restless");
    attempt.leave();
    return outcome;
  }

  /** Ends the turn with an error. */
  fail(error: unknown): void {
    if (this.ended) return;
    this.#end();
    this.#reject(error);
  }

  /** Ends the turn because nobody listens any more. */
  abort(): void {
    this.fail(new DOMException("The turn was aborted.", "AbortError"));
  }

  /** A token for this turn's requests, for as long as the turn lasts: the runtime does not abort before it has its answer. */
  token(acquired: Promise<string>): Promise<string> {
    const ended = this.reply.then(() => acquired);
    return Promise.race([acquired, ended]).catch((error: unknown) => {
      this.#tokenFailed(error);
      throw error;
    });
  }

  /** The token callback threw. The runtime only shows its text, so the error itself is kept. */
  #tokenFailed(error: unknown): void {
    const code = error instanceof KeylessError ? error.code : undefined;
    // That the same token came again tells less than why the resource rejected it.
    this.#tokenError = code === "token/rejected-again" ? (this.#modelError ?? error) : error;
    if (code !== undefined && FINAL.has(code)) this.fail(this.#tokenError);
  }

  #refused(error: unknown): ConversationOutcome {
    if (isSessionGone(error)) return "gone";
    if (isConnectionLost(error)) return "dead";
    this.fail(runtimeError(error, "send"));
    return "unsettled";
  }

  /** Resolves when the runtime has died while the turn was running, else with the turn. */
  async #death(
    isAlive: () => Promise<boolean>,
    over: Promise<ConversationOutcome>,
  ): Promise<ConversationOutcome> {
    while (!this.ended) {
      await new Promise<void>((next) => unref(systemClock.setTimeout(next, PULSE_MS)));
      if (!this.ended && !(await isAlive())) return "dead";
    }
    return over;
  }

  #late(): KeylessError {
    const failed = this.#tokenError ?? this.#modelError;
    const known = failed instanceof KeylessError ? failed : undefined;
    const last = known ? ` The last request had failed: ${known.message}` : "";
    return new KeylessError("agent/timeout", `The turn took longer than ${this.#timeoutMs} ms.${last}`, {
      hint: known?.hint ?? "Raise timeoutMs, or look at the model's load; the turn has been aborted.",
      cause: failed,
    });
  }

  #follow(event: SessionEvent): void {
    this.#listener.onEvent(event);
    if (event.type === "tool.execution_start") this.#irrevocable = true;
    // Sub-agents speak to their parent, not to the caller.
    if (event.agentId !== undefined) return;
    switch (event.type) {
      case "assistant.message_delta":
        this.#text.piece(event.data.messageId, event.data.deltaContent);
        break;
      case "assistant.message":
        this.#text.whole(event.data.messageId, event.data.content);
        break;
      case "model.call_failure":
        // The failures that follow a token error are the runtime's retelling of it.
        if (event.data.statusCode !== undefined) this.#tokenError = undefined;
        this.#modelError = this.#listener.explain(event.data);
        this.#leaveIfTooLong(this.#modelError);
        break;
      case "session.error":
        this.fail(
          this.#tokenError ?? this.#modelError ?? turnFailed(event.data.statusCode, event.data.message),
        );
        break;
      case "session.idle":
        if (this.#text.last === "") this.fail(this.#tokenError ?? this.#modelError ?? noReply());
        else this.#finish(this.#text.last);
        break;
    }
  }

  /** The runtime waits as long as the resource asks it to. A caller who has less time than that need not wait. */
  #leaveIfTooLong(error: KeylessError): void {
    const { retryAfterMs = 0 } = error;
    if (systemClock.monotonic() + retryAfterMs > this.#deadline) this.fail(error);
  }

  #push(text: string): void {
    this.#texts.push(text);
    this.#wake();
  }

  #finish(reply: string): void {
    if (this.ended) return;
    this.#end();
    this.#succeed(reply);
  }

  #end(): void {
    this.ended = true;
    systemClock.clearTimeout(this.#timer);
    this.#wake();
  }

  #wake(): void {
    this.#more?.();
    this.#more = undefined;
  }
}

/** The runtime ended the turn, and not because a request failed. */
function turnFailed(status: number | undefined, said: string): KeylessError {
  const home = said.includes("persist session events") ? homeError(said) : undefined;
  if (home) return home;
  return new KeylessError("model/request-failed", `The Copilot runtime ended the turn: ${said}`, {
    status,
    hint: "Send it again; if it lasts, look at the session's events.",
  });
}

function noReply(): KeylessError {
  return new KeylessError("agent/no-reply", "The turn ended without a reply", {
    hint: "Try again; if it lasts, look at the session's events.",
  });
}
