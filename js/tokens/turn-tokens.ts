import { KeylessError } from "../errors/keyless-error.js";
import { setBoundedTimeout } from "../platform/clock.js";
import type { Turn, TurnReason } from "../wasm/modules/plan.js";
import { endOfTurn, rejectedAgainError, timeoutError } from "./errors.js";
import type { TokenKeeper } from "./keeper.js";

/** How many tokens have a number: the last one, those rejected once and twice, and the next one. */
const NUMBERED = 4;

/** The tokens and errors of one provider in a session's turn. The core decides about them. */
export class TurnTokens {
  /** Why there was no token the last time. */
  error: KeylessError | undefined;
  readonly member: number;
  readonly #turn: Turn;
  /** The last tokens, the newest first. */
  #known: { number: number; token: string }[] = [];
  #lastNumber = 0;

  constructor(turn: Turn, member: number) {
    this.#turn = turn;
    this.member = member;
  }

  /** Acquires a token. `keeper`: of the provider, unless its tokens are a function's. */
  async acquire(keeper: TokenKeeper | undefined, acquire: () => Promise<string>): Promise<string> {
    const waited = this.#turn.ask(this.member, ...timeOf(keeper));
    let token: string | undefined;
    let error: unknown;
    try {
      token = await (keeper && waited !== undefined ? this.#rest(keeper, waited, acquire) : acquire());
    } catch (thrown) {
      error = thrown;
      token = rejectedToken(keeper, thrown);
    }
    if (token === undefined || !this.#turn.grant(this.member, this.#number(token)))
      throw this.#refuse(keeper, error ?? rejectedAgainError());
    this.error = undefined;
    return token;
  }

  /** Notes a token that the session was given as text. */
  give(token: string): void {
    this.#turn.give(this.member, this.#number(token));
  }

  /** Notes that a request was answered with an error in the resource's place. */
  answer(error: KeylessError): void {
    this.error = error;
    this.#turn.answer(this.member, error.code);
  }

  /** The token that a failed request was sent with. */
  get sent(): string | undefined {
    return this.#token(this.#turn.sent(this.member));
  }

  /** Which error says why a request failed with this status. */
  reason(status: number): TurnReason {
    return this.#turn.reason(this.member, status);
  }

  /** Notes a failed request of a sub-agent, or of the main one. Returns the token if it was rejected. */
  failed(byAgent: boolean, tokenRejected: boolean): string | undefined {
    return this.#token(this.#turn.failed(this.member, byAgent, tokenRejected));
  }

  /** Acquires a token within what is left of the turn's wait. */
  #rest(keeper: TokenKeeper, waited: number, acquire: () => Promise<string>): Promise<string> {
    const { clock } = keeper;
    return new Promise((resolve, reject) => {
      const left = keeper.waitLeft(waited);
      if (left <= 0 && this.error) return reject(this.error);
      const timer = setBoundedTimeout(clock, left, () => {
        const waited = this.#turn.waited(this.member, ...keeper.time());
        reject(timeoutError(waited, keeper.waitingFailure ?? this.error));
      });
      acquire()
        .then(resolve, reject)
        .finally(() => clock.clearTimeout(timer));
    });
  }

  #refuse(keeper: TokenKeeper | undefined, error: unknown): unknown {
    if (!(error instanceof KeylessError)) {
      this.error = undefined;
      return error;
    }
    const left =
      keeper && error.retryable
        ? keeper.waitLeft(this.#turn.waited(this.member, ...keeper.time()))
        : undefined;
    this.error = this.#turn.refuse(this.member, error.code, left) ? endOfTurn(error) : error;
    return this.error;
  }

  /** The number of a token, by which the core knows it. */
  #number(token: string): number {
    const known = this.#known.find((one) => one.token === token);
    if (known) return known.number;
    this.#lastNumber += 1;
    this.#known = [{ number: this.#lastNumber, token }, ...this.#known.slice(0, NUMBERED - 1)];
    return this.#lastNumber;
  }

  #token(number: number | undefined): string | undefined {
    return this.#known.find((one) => one.number === number)?.token;
  }
}

/**
 * The rejected token, if the credential returned it again. It may be tried once more, since the role
 * may have been assigned meanwhile.
 */
export function rejectedToken(keeper: TokenKeeper | undefined, thrown: unknown): string | undefined {
  const isRejected = thrown instanceof KeylessError && thrown.code === "token/rejected-again";
  return isRejected ? keeper?.rejectedTokenFromCache : undefined;
}

function timeOf(keeper: TokenKeeper | undefined): readonly [wall: number, mono: number] {
  // The tokens of a function have no wait.
  return keeper?.time() ?? [0, 0];
}
