import { anything, type Checks, callback, clock, flag, object, text } from "../errors/check.js";
import type { TokenProviderOptions } from "./types.js";

/** Options of `getBearerTokenProvider` of `@azure/identity`, which change nothing here. */
interface BearerTokenProviderOptions {
  abortSignal?: unknown;
  tracingOptions?: unknown;
}

/** Returns the type checks of {@link TokenProviderOptions}. */
export function tokenChecks(): Checks<TokenProviderOptions & BearerTokenProviderOptions> {
  return {
    abortSignal: anything,
    tracingOptions: anything,
    policy: object,
    clock,
    onEvent: callback,
    keepFresh: flag,
    tenantId: text,
    enableCae: flag,
  };
}
