import type { AccessToken } from "../wasm/token.js";

/** An abort signal, in the shape that `@azure/core-auth` and the platform share. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: (this: AbortSignalLike, event: unknown) => void): void;
  removeEventListener(type: "abort", listener: (this: AbortSignalLike, event: unknown) => void): void;
}

/** What a credential is asked for. */
export interface GetTokenOptions {
  abortSignal?: AbortSignalLike;
  tenantId?: string;
  /** The claims, as JSON text, of a resource's challenge. */
  claims?: string;
  /** Whether the program answers claims challenges (continuous access evaluation). */
  enableCae?: boolean;
}

/** Any credential of `@azure/identity`, or an object of your own with this one method. */
export interface TokenCredential {
  getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null>;
}
