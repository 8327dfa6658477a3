import type { AbortSignalLike, TokenCredential } from "../credentials/credential.js";
import {
  abortSignal,
  type Checks,
  checkArgument,
  checkOptional,
  credential as credentialCheck,
  readOptions,
  text,
  token as tokenCheck,
} from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { hideSecretsOf } from "../errors/redact.js";
import type { Clock } from "../platform/clock.js";
import { systemClock, withSystemFallback } from "../platform/clock.js";
import { environment } from "../platform/environment.js";
import type { AccessToken, RefreshPolicy } from "../wasm/token.js";
import { closed } from "./errors.js";
import { TokenKeeper } from "./keeper.js";
import { tokenChecks } from "./options.js";
import type { TokenCallOptions, TokenProvider, TokenProviderOptions } from "./types.js";

/** A keeper and how many providers use it. */
interface Shared {
  keeper: TokenKeeper;
  users: number;
}

/** The fields of a policy; the type makes the list complete. */
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

/** The keepers of providers that are open. */
const keeperOf = new WeakMap<TokenProvider, TokenKeeper>();

/** One keeper for the same credential object, clock, scope, tenant, policy and claims capability. */
const keepers = new WeakMap<TokenCredential, WeakMap<Clock, Map<string, Shared>>>();

/**
 * A function that gives a token that works, at any time: cached while it is fresh, refreshed in the background when it is
 * due, waited for only when there is none that works. Drops in for `getBearerTokenProvider` of `@azure/identity`, for the
 * Copilot SDK's `bearerTokenProvider` and for the token functions of the `openai` package.
 *
 * Synchronous and without I/O; the first call acquires the first token. Providers built for the same credential object,
 * scope and tenant (and the same policy and clock) share one cache and one acquisition.
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
  given: TokenProviderOptions = {},
): TokenProvider {
  check(credential, scope);
  const options = readOptions(given, tokenChecks(), "policy/invalid");
  hideSecretsOf(environment());
  const clock = withSystemFallback(options.clock ?? systemClock);
  const { keeper, release } = share(credential, scope, clock, options);
  const unlisten = options.onEvent ? keeper.listen(options.onEvent) : undefined;
  const letGo = options.keepFresh ? keeper.keepFresh() : undefined;
  let open = true;

  // The hot path: while the token is fresh, one promise serves every call.
  const provide = (): Promise<string> => {
    const wall = clock.now();
    return open && wall >= keeper.fromWall && wall < keeper.toWall ? keeper.cached : look(wall);
  };
  const look = (wall: number): Promise<string> => {
    if (!open) return Promise.reject(closed());
    return keeper.kept(wall) ?? keeper.request().then(textOf);
  };

  const ask = ({ claims, rejectedToken }: TokenCallOptions = {}): Promise<AccessToken> =>
    claims === undefined ? keeper.request() : keeper.challenge(claims, rejectedToken);

  const close = (): void => {
    if (!open) return;
    open = false;
    letGo?.();
    release();
    unlisten?.();
    keeperOf.delete(provider);
  };
  const provider = Object.defineProperties(provide, {
    name: { value: "tokenProvider" },
    getToken: {
      value: async (given?: TokenCallOptions): Promise<AccessToken> => {
        const call = readOptions(given, CALL_CHECKS, "policy/invalid");
        return detachable(call.abortSignal, () => (open ? ask(call).then(copy) : Promise.reject(closed())));
      },
    },
    invalidate: {
      value: (token?: string | AccessToken): boolean => {
        checkOptional("rejectedToken", token, tokenCheck, "token/malformed");
        return open && keeper.invalidate(token);
      },
    },
    refresh: {
      value: (): Promise<AccessToken> => (open ? keeper.refresh().then(copy) : Promise.reject(closed())),
    },
    status: {
      enumerable: true,
      get: () => (open ? keeper.status : { state: "closed", refreshing: false, consecutiveFailures: 0 }),
    },
    close: { value: close },
    [Symbol.dispose]: { value: close },
  }) as unknown as TokenProvider;
  keeperOf.set(provider, keeper);
  return provider;
}

/** The token that a provider does not give (`token/rejected-again`), and that may be tried all the same. */
export function rejectedAgain(tokens: TokenProvider): string | undefined {
  return keeperOf.get(tokens)?.rejectedAgain;
}

function textOf(token: AccessToken): string {
  return token.token;
}

function copy(token: AccessToken): AccessToken {
  return { ...token };
}

function check(credential: TokenCredential, scope: string | string[]): void {
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
    throw new KeylessError("provider/scope", "The scope must be a text, or a list of texts, and not empty", {
      hint: "For Microsoft Foundry it is https://ai.azure.com/.default.",
    });
  }
}

const CALL_CHECKS: Checks<TokenCallOptions> = {
  abortSignal,
  claims: text,
  rejectedToken: tokenCheck,
};

/** The fields that are set, in a fixed order. The core judges their values; what is no whole number never gets there. */
function fieldsOf(policy: Partial<RefreshPolicy> | undefined): [string, number][] {
  const refuse = (what: string): never => {
    throw new KeylessError("policy/invalid", `The refresh policy is wrong: ${what}`, {
      hint: `Its fields, all in milliseconds, are ${Object.keys(POLICY).join(", ")}.`,
    });
  };
  const fields = Object.entries(policy ?? {}).filter(([, value]) => value !== undefined);
  for (const [name, value] of fields) {
    if (!Object.hasOwn(POLICY, name)) refuse(`there is no field ${name}`);
    if (!Number.isSafeInteger(value)) {
      const found = typeof value === "number" ? value : value === null ? "null" : `a ${typeof value}`;
      refuse(`${name} must be a whole number of milliseconds; it is ${found}`);
    }
  }
  return fields.sort(([one], [other]) => (one < other ? -1 : 1));
}

function share(
  credential: TokenCredential,
  scope: string | string[],
  clock: Clock,
  { policy, tenantId, enableCae = false }: TokenProviderOptions,
): { keeper: TokenKeeper; release: () => void } {
  const byClock = keepers.get(credential) ?? new WeakMap<Clock, Map<string, Shared>>();
  keepers.set(credential, byClock);
  const byKey = byClock.get(clock) ?? new Map<string, Shared>();
  byClock.set(clock, byKey);
  const fields = fieldsOf(policy);
  const key = JSON.stringify([[scope].flat(), tenantId, enableCae, fields]);
  const shared = byKey.get(key) ?? {
    // A copy of the list: the caller may change his.
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

/** Runs a call that its caller may turn away from. What it waits for goes on for the others. */
function detachable<T>(signal: AbortSignalLike | undefined, call: () => Promise<T>): Promise<T> {
  if (signal === undefined) return call();
  if (signal.aborted) return Promise.reject(aborted());
  return new Promise<T>((resolve, reject) => {
    const leave = () => reject(aborted());
    signal.addEventListener("abort", leave);
    call()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", leave));
  });
}

function aborted(): Error {
  return new DOMException("The call was aborted; the acquisition goes on for others.", "AbortError");
}
