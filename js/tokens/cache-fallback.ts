import type { TokenCredential } from "../credentials/credential.js";
import { credentialFailure } from "../credentials/failure.js";
import { type Uncached, uncachedOf } from "../credentials/uncached.js";
import { KeylessError } from "../errors/keyless-error.js";
import type { Clock } from "../platform/clock.js";
import { coreModule } from "../wasm/bindings.js";
import type { AccessToken } from "../wasm/types/token.js";

/** Acquires a token from a credential, in the place of a rejected one if there is one. */
type GetToken = (credential: TokenCredential, rejectedToken?: string) => Promise<AccessToken>;

/**
 * Falls back to the direct credential for the same identity when a credential that caches tokens
 * itself returns an unusable one, or fails. The core decides when, and remembers the rejected
 * tokens.
 */
export class CacheFallback {
  readonly #uncached: Uncached | undefined;
  readonly #clock: Clock;
  readonly #rules = new (coreModule().CacheFallback)();

  constructor(credential: TokenCredential, clock: Clock) {
    this.#uncached = uncachedOf(credential);
    this.#clock = clock;
  }

  /** Marks a token as rejected by the resource. */
  markRejected(token: string): void {
    this.#rules.markRejected(token);
  }

  /** Marks the expiry of a token as refused by the schedule. */
  markRefused({ token, expiresOnTimestamp }: AccessToken): void {
    this.#rules.markRefused(token, expiresOnTimestamp);
  }

  isRejected(token: string): boolean {
    return this.#rules.isRejected(token);
  }

  /** Whether the resource rejected a token, or its expiry was refused. */
  isUnusable({ token, expiresOnTimestamp }: AccessToken): boolean {
    return this.#rules.isUnusable(token, expiresOnTimestamp);
  }

  /**
   * Acquires a token without the cache. Returns the unusable token if there is no other: the error
   * that it leads to says more than the error of the fallback.
   */
  async replace(unusable: AccessToken, getToken: GetToken, signal: AbortSignal): Promise<AccessToken> {
    if (!this.#uncached || !this.#rules.mayAsk(this.#clock.monotonic())) return unusable;
    const { credential } = this.#uncached;
    const rejectedToken = this.isRejected(unusable.token) ? unusable.token : undefined;
    const answer = await getToken(credential, rejectedToken).catch(() => undefined);
    return this.#accepts(unusable.token, answer, signal) ? answer : unusable;
  }

  /**
   * Acquires a token after the credential failed with `thrown`. Throws that again if there is none.
   */
  async takeOver(thrown: unknown, getToken: GetToken, signal: AbortSignal): Promise<AccessToken> {
    // An error of ours says what to change, such as a package to install.
    const own = thrown instanceof KeylessError && thrown.code.startsWith("credential/");
    const direct = this.#uncached?.onFailure;
    if (!direct || own || signal.aborted) throw thrown;
    const { status } = credentialFailure(thrown, this.#clock.now());
    if (!this.#rules.mayAskAfterFailure(status, this.#clock.monotonic())) throw thrown;
    const answer = await getToken(direct).catch(() => undefined);
    if (!this.#accepts("", answer, signal)) throw thrown;
    return answer;
  }

  clear(): void {
    this.#rules.clear();
  }

  /** Reports an answer. Returns whether to use it. */
  #accepts(
    unusable: string,
    answer: AccessToken | undefined,
    { aborted }: AbortSignal,
  ): answer is AccessToken {
    const { token = "", expiresOnTimestamp = 0 } = answer ?? {};
    return this.#rules.answered(unusable, token, expiresOnTimestamp, aborted, this.#clock.monotonic());
  }
}
