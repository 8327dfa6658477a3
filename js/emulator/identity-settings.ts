import type { EmulatorClock } from "./clock.js";
import type { FaultQueue } from "./faults.js";
import type { RequestLog } from "./log.js";
import type { TokenAuthority } from "./tokens.js";

/** What the identity server needs. */
export interface IdentitySettings {
  readonly clock: EmulatorClock;
  readonly log: RequestLog;
  readonly faults: FaultQueue;
  readonly tokens: TokenAuthority;
  /** What X-IDENTITY-HEADER has to be. */
  readonly secret: string;
  /** What `client_secret` and `client_assertion` have to be. */
  readonly clientSecret: string;
  readonly federatedToken: string;
  /** Seconds. */
  lifetimeOf(resource: string): number;
}
