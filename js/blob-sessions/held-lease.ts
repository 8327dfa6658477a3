import { systemClock, unref } from "../platform/clock.js";
import { leaseModule } from "../wasm/lease-bindings.js";
import type { Term } from "../wasm/modules/lease.js";
import type { ConversationBlobs, Patience } from "./blobs.js";
import { leaseLost } from "./errors.js";

/** How long a renewal may take, in milliseconds. */
const RENEWAL_MS = 5_000;

/** A lease that a worker holds, and renews as src/lease/term.rs says. */
export class HeldLease {
  readonly id: string;
  readonly #blobs: ConversationBlobs;
  readonly #term: Term;
  readonly #lost = new AbortController();
  #timer: unknown;
  #ended = false;

  /** `asked` is when the lease was requested, on the monotonic clock. */
  constructor(blobs: ConversationBlobs, id: string, durationMs: number, asked: number) {
    this.id = id;
    this.#blobs = blobs;
    this.#term = new (leaseModule().Term)(durationMs, asked);
    this.#schedule();
  }

  /** Aborts when the lease is lost. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Whether a write may be sent now. Renews the lease first if it is nearly over. */
  async mayWrite(patience: Patience): Promise<boolean> {
    if (!this.#lost.signal.aborted && !this.#term.mayWrite(systemClock.monotonic()))
      await this.#renew(patience);
    return !this.#lost.signal.aborted;
  }

  /** Stops renewing. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    systemClock.clearTimeout(this.#timer);
    this.#term.free();
  }

  #schedule(): void {
    if (this.#ended || this.#lost.signal.aborted) return;
    const wait = Math.max(0, this.#term.nextRenewal() - systemClock.monotonic());
    this.#timer = systemClock.setTimeout(() => {
      const patience = { until: systemClock.monotonic() + RENEWAL_MS, once: true };
      this.#renew(patience).then(
        () => this.#schedule(),
        () => this.#schedule(),
      );
    }, wait);
    // The turn keeps the process alive.
    unref(this.#timer);
  }

  async #renew(patience: Patience): Promise<void> {
    const asked = systemClock.monotonic();
    const reply = await this.#blobs.renew(this.id, patience).then(
      (answer) => answer.reply,
      // A token that could not be acquired, for one.
      () => "again" as const,
    );
    if (this.#ended) return;
    if (reply === "done") this.#term.renewed(asked);
    else if (reply === "fenced" || reply === "missing") this.#lost.abort(leaseLost());
    else this.#term.renewalFailed(systemClock.monotonic());
  }
}
