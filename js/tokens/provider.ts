import type { AbortSignalLike, TokenCredential } from "../credentials/credential.js";
import {
  abortSignal,
  type Checks,
  checkArgument,
  checkOptional,
  credential as credentialCheck,
  readKnownOptions,
  readOptions,
  text,
  token as tokenCheck,
} from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { hideSecretsOf } from "../errors/redact.js";
import type { Clock } from "../platform/clock.js";
import { systemClock, withSystemFallback } from "../platform/clock.js";
import { environment } from "../platform/environment.js";
import type { AccessToken, RefreshPolicy } from "../wasm/types/token.js";
import { closedError } from "./errors.js";
import { TokenKeeper } from "./keeper.js";
import { tokenChecks } from "./options.js";
import { rejectedToken, type TurnTokens } from "./turn-tokens.js";
import type { TokenCallOptions, TokenProvider, TokenProviderOptions } from "./types.js";

/** A keeper and the number of providers that use it. */
interface SharedKeeper {
  keeper: TokenKeeper;
  users: number;
}

/** The fields of a policy. The type makes the list complete. */
const POLICY: Record<keyof RefreshPolicy, true> = {
  refreshBeforeExpiryMs: true,
  longLivedMs: true,
  jitterMs: true,
  minRemainingMs: true,
  retryMinMs: true,
  retryMaxMs: true,
  waitTimeoutMs: true,
  backgroundTimeoutMs: true,
  invalidateIntervalMs: true,
  maxLifetimeMs: true,
};

/** The keepers of providers that are not closed. */
const keeperOf = new WeakMap<TokenProvider, TokenKeeper>();

/** One keeper per credential object, clock, scope, tenant, policy and `enableCae`. */
const sharedKeepers = new WeakMap<TokenCredential, WeakMap<Clock, Map<string, SharedKeeper>>>();

/**
 * Creates a function that returns a usable token at any time. It caches the token while that is
 * fresh, refreshes it in the background when that is due, and makes callers wait only if no usable
 * token is left. A drop-in for `getBearerTokenProvider` of `@azure/identity`, for the Copilot SDK's
 * `bearerTokenProvider` and for the token functions of the `openai` package.
 *
 * Synchronous and without I/O: the first call of the function acquires the first token. Providers
 * for the same credential object, scope and tenant (and the same policy and clock) share one cache
 * and one acquisition.
 *
 * @throws KeylessError `policy/invalid`, `credential/invalid`, `provider/scope`
 * @example
 * ```ts
 * import { DefaultAzureCredential } from "@azure/identity";
 *
 * const provider = createBearerTokenProvider(new DefaultAzureCredential(), "https://ai.azure.com/.default");
 * const token = await provider(); // no "Bearer " in front
 * ```
 */
export function createBearerTokenProvider(
  credential: TokenCredential,
  scope: string | string[],
  options: TokenProviderOptions = {},
): TokenProvider {
  checkParameters(credential, scope);
  const settings = readOptions(options, tokenChecks(), "policy/invalid");
  hideSecretsOf(environment());
  const clock = withSystemFallback(settings.clock ?? systemClock);
  const { keeper, release } = shareKeeper(credential, scope, clock, settings);
  const { cachedAnswer } = keeper;
  const removeListener = settings.onEvent ? keeper.listen(settings.onEvent) : undefined;
  const stopKeepingFresh = settings.keepFresh ? keeper.keepFresh() : undefined;
  let closed = false;

  // The hot path: while the token is fresh, one promise answers every call.
  const provide = (): Promise<string> => {
    const wall = clock.now();
    return !closed && wall >= cachedAnswer.fromWall && wall < cachedAnswer.toWall
      ? cachedAnswer.promise
      : provideByBothClocks(wall);
  };
  const provideByBothClocks = (wall: number): Promise<string> => {
    if (closed) return Promise.reject(closedError());
    return cachedAnswer.get(wall) ?? keeper.request().then(textOf);
  };

  const getToken = ({ claims, rejectedToken }: TokenCallOptions): Promise<AccessToken> => {
    if (closed) return Promise.reject(closedError());
    return (claims === undefined ? keeper.request() : keeper.challenge(claims, rejectedToken)).then(copy);
  };

  const close = (): void => {
    if (closed) return;
    closed = true;
    stopKeepingFresh?.();
    release();
    removeListener?.();
    keeperOf.delete(provider);
  };
  const provider = Object.defineProperties(provide, {
    name: { value: "tokenProvider" },
    getToken: {
      value: async (options?: TokenCallOptions): Promise<AccessToken> => {
        // Clients of the Azure SDK pass options of their own.
        const call = readKnownOptions(options, CALL_CHECKS, "policy/invalid");
        return abortable(call.abortSignal, () => getToken(call));
      },
    },
    invalidate: {
      value: (token?: string | AccessToken): boolean => {
        checkOptional("rejectedToken", token, tokenCheck, "token/malformed");
        return !closed && keeper.invalidate(token);
      },
    },
    refresh: {
      value: (): Promise<AccessToken> =>
        closed ? Promise.reject(closedError()) : keeper.refresh().then(copy),
    },
    status: {
      enumerable: true,
      get: () => (closed ? { state: "closed", refreshing: false, consecutiveFailures: 0 } : keeper.status),
    },
    close: { value: close },
    [Symbol.dispose]: { value: close },
  }) as unknown as TokenProvider;
  keeperOf.set(provider, keeper);
  return provider;
}

/** {@link rejectedToken} of a provider. */
export function rejectedTokenFromCache(tokens: TokenProvider, thrown: unknown): string | undefined {
  return rejectedToken(keeperOf.get(tokens), thrown);
}

/** Whether this is the current token of a provider. */
export function isCurrentToken(tokens: TokenProvider, token: string): boolean {
  return keeperOf.get(tokens)?.has(token) ?? false;
}

/**
 * How long a provider discards no rejected token, in milliseconds; with `claims`, none that was
 * challenged. 0 for a token function of the program's own.
 */
export function renewalLeft(tokens: TokenProvider, claims: boolean): number {
  return keeperOf.get(tokens)?.renewalLeft(claims) ?? 0;
}

/** Acquires a token for a turn, whose requests share one wait; outside of one for a single request. */
export function withinTurn(
  turn: TurnTokens | undefined,
  tokens: TokenProvider,
  acquire: () => Promise<string>,
): Promise<string> {
  const keeper = keeperOf.get(tokens);
  if (turn) return turn.acquire(keeper, acquire);
  return acquire().catch((error: unknown) => {
    const token = rejectedToken(keeper, error);
    if (token === undefined) throw error;
    return token;
  });
}

/** Returns the last failure of the acquisition that callers of a provider wait for. */
export function waitingFailure(tokens: TokenProvider): KeylessError | undefined {
  return keeperOf.get(tokens)?.waitingFailure;
}

function textOf(token: AccessToken): string {
  return token.token;
}

function copy(token: AccessToken): AccessToken {
  return { ...token };
}

function checkParameters(credential: TokenCredential, scope: string | string[]): void {
  checkArgument(
    "credential",
    credential,
    credentialCheck,
    "credential/invalid",
    "Pass a credential of @azure/identity, such as new DefaultAzureCredential().",
  );
  const scopes = typeof scope === "string" ? [scope] : scope;
  if (
    !Array.isArray(scopes) ||
    scopes.length === 0 ||
    scopes.some((one) => typeof one !== "string" || one.trim() === "")
  ) {
    throw new KeylessError(
      "provider/scope",
      "The scope must be a string, or an array of strings, and not empty",
      {
        hint: "For Microsoft Foundry it is https://ai.azure.com/.default.",
      },
    );
  }
}

const CALL_CHECKS: Checks<TokenCallOptions> = {
  abortSignal,
  claims: text,
  rejectedToken: tokenCheck,
};

/**
 * Lists the fields of a policy that are set, in a fixed order. Throws for an unknown field and for
 * a value that is no whole number; the core checks the ranges.
 */
function policyFields(policy: Partial<RefreshPolicy> | undefined): [string, number][] {
  const refuse = (reason: string): never => {
    throw new KeylessError("policy/invalid", `The refresh policy is invalid: ${reason}`, {
      hint: `Its fields, all in milliseconds, are ${Object.keys(POLICY).join(", ")}.`,
    });
  };
  const fields = Object.entries(policy ?? {}).filter(([, value]) => value !== undefined);
  for (const [name, value] of fields) {
    if (!Object.hasOwn(POLICY, name)) refuse(`unknown field ${name}`);
    if (!Number.isSafeInteger(value)) {
      const found = typeof value === "number" ? value : value === null ? "null" : `a ${typeof value}`;
      refuse(`${name} must be a whole number of milliseconds; it is ${found}`);
    }
  }
  return fields.sort(([one], [other]) => (one < other ? -1 : 1));
}

function shareKeeper(
  credential: TokenCredential,
  scope: string | string[],
  clock: Clock,
  { policy, tenantId, enableCae = false }: TokenProviderOptions,
): { keeper: TokenKeeper; release: () => void } {
  const byClock = sharedKeepers.get(credential) ?? new WeakMap<Clock, Map<string, SharedKeeper>>();
  sharedKeepers.set(credential, byClock);
  const byKey = byClock.get(clock) ?? new Map<string, SharedKeeper>();
  byClock.set(clock, byKey);
  const fields = policyFields(policy);
  const key = JSON.stringify([[scope].flat(), tenantId, enableCae, fields]);
  const shared = byKey.get(key) ?? {
    // A copy of the array, because the caller may change it.
    keeper: new TokenKeeper(credential, typeof scope === "string" ? scope : [...scope], clock, {
      policy: Object.fromEntries(fields),
      tenantId,
      enableCae,
    }),
    users: 0,
  };
  byKey.set(key, shared);
  shared.users += 1;
  return {
    keeper: shared.keeper,
    release: () => {
      shared.users -= 1;
      if (shared.users > 0) return;
      byKey.delete(key);
      shared.keeper.close();
    },
  };
}

/** Runs a call that `signal` aborts for its caller only. The acquisition goes on for the others. */
function abortable<T>(signal: AbortSignalLike | undefined, call: () => Promise<T>): Promise<T> {
  if (signal === undefined) return call();
  if (signal.aborted) return Promise.reject(abortError());
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(abortError());
    signal.addEventListener("abort", onAbort);
    call()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function abortError(): Error {
  return new DOMException("The call was aborted; the acquisition goes on for others.", "AbortError");
}
