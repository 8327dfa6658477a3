import type { EmulatorClock } from "./clock.js";
import type { FaultQueue } from "./faults.js";
import type { JobTokens } from "./job-tokens.js";
import type { RequestLog } from "./log.js";
import type { PlatformCache } from "./platform-cache.js";
import type { TokenAuthority } from "./tokens.js";

/** Settings of the identity server. */
export interface IdentitySettings {
  readonly clock: EmulatorClock;
  readonly log: RequestLog;
  readonly faults: FaultQueue;
  readonly tokens: TokenAuthority;
  /** The cache of the managed identity endpoints, if there is one. */
  readonly platformCache: PlatformCache | undefined;
  /** Whether App Service's endpoint answers the api-version that renews revoked tokens. */
  readonly tokenRevocation: boolean;
  /** The expected `X-IDENTITY-HEADER`. */
  readonly secret: string;
  /** The expected `client_secret`. */
  readonly clientSecret: string;
  /** The expected `client_assertion`. */
  readonly federatedToken: string;
  /** The OIDC tokens of jobs, which are `client_assertion`s, too. */
  readonly jobs: JobTokens;
  /** Returns the lifetime of the next token, in seconds. */
  lifetimeOf(resource: string): number;
}
