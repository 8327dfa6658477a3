import type { SessionEvent } from "@github/copilot-sdk";
import { systemClock, unref } from "../platform/clock.js";

/** Notices that the resource sends nothing of a reply, by the events of the session. */
export class FirstByteTimer {
  readonly #ms: number;
  readonly #onSilence: () => void;
  #timer: unknown;
  #sentOn: number | undefined;

  constructor(ms: number, onSilence: () => void) {
    this.#ms = ms;
    this.#onSilence = onSilence;
  }

  /** How long the current request has been without a first byte, in milliseconds. */
  get silentForMs(): number | undefined {
    return this.#sentOn === undefined ? undefined : systemClock.monotonic() - this.#sentOn;
  }

  /** The runtime has what it needs for the request, and sends it. */
  start(): void {
    this.stop();
    this.#sentOn = systemClock.monotonic();
    this.#timer = systemClock.setTimeout(this.#onSilence, this.#ms);
    unref(this.#timer);
  }

  stop(): void {
    systemClock.clearTimeout(this.#timer);
    this.#sentOn = undefined;
  }

  /** Any event of the model or of a tool shows that a response has begun, or that it failed. */
  note({ type }: SessionEvent): void {
    if (type === "assistant.turn_start") this.start();
    else if (/^(assistant\.|tool\.|model\.call_f|session\.(idle|error|compaction))/.test(type)) this.stop();
  }
}
