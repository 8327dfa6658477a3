import type { CopilotSession, SessionEvent } from "@github/copilot-sdk";
import { systemClock } from "./clock.js";
import { KeylessError } from "./errors.js";
import type { ModelCallFailure } from "./foundry-provider.js";
import { homeError, runtimeError } from "./runtime-error.js";
import { within } from "./within.js";

/** Token errors that no repetition mends: the turn ends at once, not after the runtime's six attempts. */
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

/** How long the next turn waits for a session to become quiet after a turn that failed: longer than callers wait for a token. */
const SETTLE_MS = 20_000;

/** How long a session that has told of the turn's end may take to become quiet by itself. One whose disk is full never does. */
const IDLE_MS = 1_000;

/** Who is asked and told during a turn. */
export interface TurnListener {
  /** What a failed request to the model means. */
  explain: (failure: ModelCallFailure["data"]) => KeylessError;
  onEvent: (event: SessionEvent) => void;
}

/** One prompt and what comes back: the text as it streams, then the whole reply or an error. */
export class Turn {
  readonly reply: Promise<string>;
  ended = false;
  /** Whether the runtime said that it has no such session. */
  sessionGone = false;
  readonly #texts: string[] = [];
  #more: (() => void) | undefined;
  #succeed!: (reply: string) => void;
  #reject!: (error: unknown) => void;
  #last = "";
  /** The message that is streaming. */
  #message = { id: "", text: "" };
  /** The beginning of the message that was given out before its stream was cut. */
  #given = "";
  #tokenError: unknown;
  #modelError: KeylessError | undefined;
  /** Whether the session itself has ended the turn, and need not be told to. */
  #toldBySession = false;
  readonly #idle: Promise<void>;
  #becomeIdle!: () => void;

  readonly #listener: TurnListener;
  /** When the turn's time is up, by the monotonic clock. */
  #deadline = Number.POSITIVE_INFINITY;

  constructor(listener: TurnListener) {
    this.#listener = listener;
    this.#idle = new Promise((become) => {
      this.#becomeIdle = become;
    });
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
      if (text !== undefined) yield text;
      else if (this.ended) return;
      else
        await new Promise<void>((more) => {
          this.#more = more;
        });
    }
  }

  /** Sends the prompt and follows the session's events until this turn's end. */
  async run(session: CopilotSession, prompt: string): Promise<void> {
    if (this.ended) return;
    // Events of an earlier turn may still arrive: nothing counts before this prompt's own message has come by.
    let id: string | undefined;
    let mine = false;
    const early: SessionEvent[] = [];
    const take = (event: SessionEvent) => {
      if (id === undefined) early.push(event);
      else if (!mine) mine = event.type === "user.message" && event.data.messageId === id;
      else this.#follow(event);
    };
    const unsubscribe = session.on(take);
    const sent = session.send({ prompt });
    try {
      id = await Promise.race([sent, this.reply]);
      for (const event of early) take(event);
      await this.reply;
    } catch (error) {
      this.sessionGone = !(error instanceof KeylessError) && /Session not found/i.test(String(error));
      this.fail(runtimeError(error, "send"));
      await this.#settle(session, sent);
    } finally {
      unsubscribe();
    }
  }

  /** Gives the turn so many milliseconds from now. Returns the way to stop the timer. */
  endIn(timeoutMs: number): () => void {
    this.#deadline = systemClock.monotonic() + timeoutMs;
    const timer = systemClock.setTimeout(() => this.fail(this.#late(timeoutMs)), timeoutMs);
    return () => systemClock.clearTimeout(timer);
  }

  /** Ends the turn with an error. */
  fail(error: unknown): void {
    if (this.ended) return;
    this.#end();
    this.#reject(error);
  }

  /**
   * Waits until the session can take the next prompt. Sent too early it would be lost with the turn that is being aborted; but
   * a runtime that hangs must not hold up the next turn for ever.
   */
  async #settle(session: CopilotSession, sent: Promise<string>): Promise<void> {
    const abort = () => sent.then(() => session.abort()).catch(() => {});
    const quiet = this.#toldBySession ? within<unknown>(this.#idle, IDLE_MS, abort) : abort();
    await within<unknown>(quiet, SETTLE_MS, () => {});
  }

  /** Ends the turn because nobody listens any more. */
  abort(): void {
    this.fail(new DOMException("The turn was aborted.", "AbortError"));
  }

  /** The token callback threw. The runtime only shows its text, so the error itself is kept. */
  tokenFailed(error: unknown): void {
    const code = error instanceof KeylessError ? error.code : undefined;
    // That the same token came again tells less than why the resource rejected it.
    this.#tokenError = code === "token/rejected-again" ? (this.#modelError ?? error) : error;
    if (code !== undefined && FINAL.has(code)) this.fail(this.#tokenError);
  }

  #late(timeoutMs: number): KeylessError {
    const failed = this.#tokenError ?? this.#modelError;
    const known = failed instanceof KeylessError ? failed : undefined;
    const last = known ? ` The last request had failed: ${known.message}` : "";
    return new KeylessError("agent/timeout", `The turn took longer than ${timeoutMs} ms.${last}`, {
      hint: known?.hint ?? "Raise timeoutMs, or look at the model's load; the turn has been aborted.",
      cause: failed,
    });
  }

  #follow(event: SessionEvent): void {
    try {
      this.#listener.onEvent(event);
    } catch {
      // A listener's own trouble must not cost the caller the reply.
    }
    // Sub-agents speak to their parent, not to the caller.
    if (event.agentId !== undefined) return;
    switch (event.type) {
      case "assistant.message_delta":
        this.#stream(event.data.messageId, event.data.deltaContent);
        break;
      case "assistant.message":
        if (event.data.content === "") break;
        this.#last = event.data.content;
        // A reply that did not come in pieces comes in one.
        if (this.#message.id !== event.data.messageId) this.#push(event.data.content);
        this.#message = { id: "", text: "" };
        break;
      case "model.call_failure":
        // The failures that follow a token error are the runtime's retelling of it.
        if (event.data.statusCode !== undefined) this.#tokenError = undefined;
        this.#modelError = this.#listener.explain(event.data);
        this.#leaveIfTooLong(this.#modelError);
        break;
      case "session.error":
        this.#toldBySession = true;
        this.fail(
          this.#tokenError ?? this.#modelError ?? turnFailed(event.data.statusCode, event.data.message),
        );
        break;
      case "session.idle":
        this.#toldBySession = true;
        this.#becomeIdle();
        if (this.#last === "") this.fail(this.#tokenError ?? this.#modelError ?? noReply());
        else this.#finish();
        break;
    }
  }

  /** The runtime waits as long as the resource asks it to. A caller who has less time than that need not wait. */
  #leaveIfTooLong(error: KeylessError): void {
    const { retryAfterMs = 0 } = error;
    if (systemClock.monotonic() + retryAfterMs > this.#deadline) this.fail(error);
  }

  /** A piece of a message. After a stream was cut the runtime asks again: what was given out already is not given twice. */
  #stream(id: string, piece: string): void {
    if (this.#message.id !== id) {
      this.#given = this.#message.text;
      this.#message = { id, text: "" };
    }
    this.#message.text += piece;
    const { text } = this.#message;
    if (this.#given === "") this.#push(piece);
    else if (!this.#given.startsWith(text)) {
      this.#push(text.startsWith(this.#given) ? text.slice(this.#given.length) : `\n${text}`);
      this.#given = "";
    }
  }

  #push(text: string): void {
    this.#texts.push(text);
    this.#wake();
  }

  #finish(): void {
    this.#end();
    this.#succeed(this.#last);
  }

  #end(): void {
    this.ended = true;
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
