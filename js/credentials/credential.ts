import type { AccessToken } from "../wasm/types/token.js";

/** An abort signal, in the shape that `@azure/core-auth` and the platform share. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: (this: AbortSignalLike, event: unknown) => void): void;
  removeEventListener(type: "abort", listener: (this: AbortSignalLike, event: unknown) => void): void;
}

/** Options of {@link TokenCredential.getToken}. */
export interface GetTokenOptions {
  abortSignal?: AbortSignalLike;
  tenantId?: string;
  /** The claims of a claims challenge, as JSON text. */
  claims?: string;
  /** Whether the program answers claims challenges (continuous access evaluation). */
  enableCae?: boolean;
}

/** A credential of `@azure/identity`, or your own object with this method. */
export interface TokenCredential {
  getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null>;
}
