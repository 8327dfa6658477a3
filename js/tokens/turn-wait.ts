import { KeylessError } from "../errors/keyless-error.js";
import { setBoundedTimeout } from "../platform/clock.js";
import { endOfWait, timeoutError } from "./errors.js";
import type { Time, TokenKeeper } from "./keeper.js";

/**
 * The wait for a token that the requests of one turn share. The Copilot runtime asks up to six
 * times in a turn: with a wait each, an outage would hold the turn for a minute and a half.
 */
export class TurnWait {
  /** When the turn began to wait, if it has received no token since. */
  #since: Time | undefined;
  #failure: KeylessError | undefined;

  /** Starts another turn. */
  reset(): void {
    this.#since = undefined;
    this.#failure = undefined;
  }

  /** Acquires a token, as long as something of the wait is left. */
  async limit<T>(keeper: TokenKeeper, acquire: () => Promise<T>): Promise<T> {
    const since = this.#since ?? keeper.time();
    try {
      const token = await (this.#failure ? this.#rest(keeper, since, this.#failure, acquire) : acquire());
      this.reset();
      return token;
    } catch (error) {
      if (!(error instanceof KeylessError && error.retryable)) throw error;
      this.#since = since;
      this.#failure = keeper.waitLeft(since) > 0 ? error : endOfWait(error);
      throw this.#failure;
    }
  }

  /** Acquires a token within what is left. */
  #rest<T>(keeper: TokenKeeper, since: Time, failure: KeylessError, acquire: () => Promise<T>): Promise<T> {
    const { clock } = keeper;
    return new Promise((resolve, reject) => {
      const left = keeper.waitLeft(since);
      if (left <= 0) return reject(failure);
      const timer = setBoundedTimeout(clock, left, () =>
        reject(timeoutError(clock.monotonic() - since[1], keeper.waitingFailure ?? failure)),
      );
      acquire()
        .then(resolve, reject)
        .finally(() => clock.clearTimeout(timer));
    });
  }
}
