import { type Checks, callback, clock, flag, object, text } from "../errors/check.js";
import type { TokenProviderOptions } from "./types.js";

/** Returns the type checks of {@link TokenProviderOptions}. */
export function tokenChecks(): Checks<TokenProviderOptions> {
  return { policy: object, clock, onEvent: callback, keepFresh: flag, tenantId: text, enableCae: flag };
}
