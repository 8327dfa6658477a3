import { checkArgument, checkOptional, clock as clockCheck, object } from "../errors/check.js";
import type { Clock } from "../platform/clock.js";

/**
 * Adds a clock to options, to test what happens when time passes: those of
 * `createBearerTokenProvider`, of `createDirectCredential`, and `tokens` of `createFoundryProvider`
 * and the agent.
 *
 * @throws KeylessError `policy/invalid` if an argument has a wrong type
 * @example
 * ```ts
 * const foundry = createFoundryProvider({ tokens: withClock(new FakeClock(), { keepFresh: true }) });
 * ```
 */
export function withClock<Options extends object = object>(
  clock: Clock,
  options?: Options,
): Options & { clock: Clock } {
  checkArgument("clock", clock, clockCheck, "policy/invalid");
  checkOptional("options", options, object, "policy/invalid");
  return { ...(options as Options), clock };
}
