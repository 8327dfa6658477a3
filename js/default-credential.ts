import { KeylessError } from "./errors.js";
import type { AccessToken, GetTokenOptions, TokenCredential } from "./types.js";

/** One credential per authority for the whole process, so that all its providers share one token cache. */
const credentials = new Map<string, TokenCredential>();

/** `DefaultAzureCredential` of `@azure/identity`, imported and made when the first token is asked for. */
export function defaultCredential(authorityHost: string | undefined): TokenCredential {
  const key = authorityHost ?? "";
  const known = credentials.get(key);
  if (known) return known;
  const credential = new LazyCredential(authorityHost);
  credentials.set(key, credential);
  return credential;
}

class LazyCredential implements TokenCredential {
  readonly #authorityHost: string | undefined;
  #inner: Promise<TokenCredential> | undefined;

  constructor(authorityHost: string | undefined) {
    this.#authorityHost = authorityHost;
  }

  async getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null> {
    this.#inner ??= this.#create();
    let inner: TokenCredential;
    try {
      inner = await this.#inner;
    } catch (error) {
      this.#inner = undefined;
      throw error;
    }
    return inner.getToken(scopes, options);
  }

  async #create(): Promise<TokenCredential> {
    let identity: typeof import("@azure/identity");
    try {
      identity = await import("@azure/identity");
    } catch (cause) {
      throw new KeylessError("credential/not-installed", "@azure/identity is not installed", {
        hint: "Run `npm install @azure/identity`, or pass a credential of your own.",
        cause,
      });
    }
    try {
      const authority = this.#authorityHost === undefined ? {} : { authorityHost: this.#authorityHost };
      return new identity.DefaultAzureCredential(authority) as TokenCredential;
    } catch (cause) {
      throw new KeylessError(
        "credential/configuration",
        `DefaultAzureCredential does not accept the environment: ${cause instanceof Error ? cause.message : "unknown"}`,
        {
          hint: "Check AZURE_TOKEN_CREDENTIALS: dev, prod, or one credential such as ManagedIdentityCredential.",
          cause,
        },
      );
    }
  }
}
