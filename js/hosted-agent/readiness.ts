import type { ChatService } from "../chat/service.js";
import { KeylessError } from "../errors/keyless-error.js";

/** Whether the agent can answer: its runtime has started, it has a token, and it can get the next one. */
export class Readiness {
  readonly #service: Pick<ChatService, "start" | "status">;
  #isReady = false;
  #starting: Promise<void> | undefined;
  /** The code of the failure of the last start. */
  #error: string | undefined;

  constructor(service: Pick<ChatService, "start" | "status">) {
    this.#service = service;
  }

  /** Starts the runtime and the token, unless they are starting or have started. */
  begin(): void {
    if (this.#isReady) return;
    this.#starting ??= this.#service
      .start()
      .then(
        () => {
          this.#isReady = true;
          this.#error = undefined;
        },
        (error: unknown) => {
          this.#error = error instanceof KeylessError ? error.code : "chat/unexpected";
        },
      )
      .finally(() => {
        this.#starting = undefined;
      });
  }

  /** The answer to a probe: 200 or 503. A failed start is tried again. */
  report(): { status: number; body: object } {
    const state = this.#service.status();
    if (state.state === "open") this.begin();
    const ready = this.#isReady && state.healthy;
    const error = this.#isReady ? undefined : this.#error;
    return {
      status: ready ? 200 : 503,
      body: {
        status: ready ? "healthy" : "unhealthy",
        ...state,
        healthy: ready,
        ...(error ? { error } : {}),
      },
    };
  }
}
