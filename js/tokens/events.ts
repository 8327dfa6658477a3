import type { Clock } from "../platform/clock.js";
import { hasSubscribers, publish } from "./diagnostics.js";
import type { TokenEvent } from "./types.js";

/** A {@link TokenEvent} without the fields that all events share. */
type EventDetails = TokenEvent extends infer E
  ? E extends TokenEvent
    ? Omit<E, "at" | "scope">
    : never
  : never;

type Listener = (event: TokenEvent) => void;

/** Sends the events of one token to its listeners and to the diagnostics channel. */
export class TokenEvents {
  readonly #scope: string;
  readonly #clock: Clock;
  readonly #listeners = new Set<Listener>();

  constructor(scope: string | string[], clock: Clock) {
    this.#scope = [scope].flat().join(" ");
    this.#clock = clock;
  }

  /** Adds a listener. Returns a function that removes it. */
  listen(listener: Listener): () => void {
    // Wrapped, because two providers may share both the keeper and the function.
    const wrapper: Listener = (event) => listener(event);
    this.#listeners.add(wrapper);
    return () => this.#listeners.delete(wrapper);
  }

  /** Emits an event. Ignores a listener that throws, or whose promise is rejected. */
  emit(details: EventDetails): void {
    if (this.#listeners.size === 0 && !hasSubscribers()) return;
    const event = Object.freeze({ at: this.#clock.now(), scope: this.#scope, ...details }) as TokenEvent;
    publish(event);
    for (const listener of [...this.#listeners]) {
      (async () => listener(event))().catch(() => {});
    }
  }
}
