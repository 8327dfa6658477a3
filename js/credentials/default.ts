import { KeylessError } from "../errors/keyless-error.js";
import { type Environment, environment } from "../platform/environment.js";
import type { CredentialPlan } from "../wasm/provider.js";
import type { AccessToken } from "../wasm/token.js";
import type { GetTokenOptions, TokenCredential } from "./credential.js";
import { createDirectCredential } from "./direct.js";
import { noteUncached } from "./uncached.js";

type Identity = typeof import("@azure/identity");

/** One credential per distinct plan for the whole process, so that all its providers share one token cache. */
const credentials = new Map<string, TokenCredential>();

const PRINCIPAL =
  /^AZURE_(TENANT_ID|CLIENT_ID|CLIENT_SECRET|CLIENT_CERTIFICATE_PATH|CLIENT_CERTIFICATE_PASSWORD|USERNAME|PASSWORD)$/;
const MANAGED_IDENTITY =
  /^(IDENTITY_(ENDPOINT|HEADER|SERVER_THUMBPRINT)|IMDS_ENDPOINT|MSI_(ENDPOINT|SECRET)|AZURE_(POD_IDENTITY_AUTHORITY_HOST|FEDERATED_TOKEN_FILE))$/;

/** What `@azure/identity` takes from `process.env` alone; everything else is handed to it. */
const READ_BY_ITSELF: Partial<Record<CredentialPlan["kind"], readonly RegExp[]>> = {
  environment: [PRINCIPAL],
  "managed-identity": [MANAGED_IDENTITY],
  default: [PRINCIPAL, MANAGED_IDENTITY],
  "deployed-service": [PRINCIPAL, MANAGED_IDENTITY],
};

/**
 * As many as it makes after a 5xx. Left to itself it goes on for 19 s after a 404, and nobody who waits for 15 s would hear what the
 * endpoint says; the refresh schedule has it try again.
 */
const FEW_RETRIES = { retryOptions: { maxRetries: 3 } };

/** The chains, which go by `AZURE_TOKEN_CREDENTIALS` themselves. */
const CHAINS: readonly CredentialPlan["kind"][] = ["default", "developer-tools", "deployed-service"];

/** Those whose identity the direct credential finds too: by the same environment. It refuses what it cannot do. */
const WITHOUT_CACHE: readonly CredentialPlan["kind"][] = [
  "managed-identity",
  "workload-identity",
  "environment",
];

/** How long that may take: who waits is to hear what became of it. */
const PAST_CACHE_MS = 5_000;

/** The credential of `@azure/identity` that was planned, imported and made when the first token is asked for. */
export function defaultCredential(plan: CredentialPlan, env: Environment): TokenCredential {
  const { kind, clientId, tenantId, authorityHost } = plan;
  const tokenFile = kind === "workload-identity" ? env.AZURE_FEDERATED_TOKEN_FILE?.trim() : undefined;
  const unseen = unseenVariables(kind, env);
  const key = JSON.stringify([kind, clientId, tenantId, authorityHost, tokenFile, unseen]);
  const known = credentials.get(key);
  if (known) return known;
  const credential = new LazyCredential((identity) => {
    if (unseen.length > 0) throw notSeen(unseen);
    return make(identity, plan, tokenFile);
  });
  credentials.set(key, credential);
  // Only `@azure/identity` knows which tenants a call may name, and takes none at all where this is set.
  if (WITHOUT_CACHE.includes(kind) && !env.AZURE_IDENTITY_DISABLE_MULTITENANTAUTH) {
    // As the environment is now: what a program sets or deletes later must not lead to another identity.
    const direct = createDirectCredential({ env: { ...env }, authorityHost, timeoutMs: PAST_CACHE_MS });
    noteUncached(credential, direct);
  }
  return credential;
}

class LazyCredential implements TokenCredential {
  readonly #make: (identity: Identity) => TokenCredential;
  #inner: Promise<TokenCredential> | undefined;

  constructor(make: (identity: Identity) => TokenCredential) {
    this.#make = make;
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
    let identity: Identity;
    try {
      identity = await import("@azure/identity");
    } catch (cause) {
      throw new KeylessError("credential/not-installed", "@azure/identity is not installed", {
        hint: "Run `npm install @azure/identity`, or pass a credential of your own.",
        cause,
      });
    }
    return this.#make(identity);
  }
}

function make(identity: Identity, plan: CredentialPlan, tokenFilePath: string | undefined): TokenCredential {
  const { kind, clientId, tenantId, authorityHost } = plan;
  const authority = authorityHost === undefined ? {} : { authorityHost };
  const client = clientId === undefined ? {} : { clientId };
  try {
    switch (kind) {
      case "managed-identity":
        return new identity.ManagedIdentityCredential({ ...authority, ...client, ...FEW_RETRIES });
      case "workload-identity":
        return new identity.WorkloadIdentityCredential({
          ...authority,
          ...client,
          ...(tenantId === undefined ? {} : { tenantId }),
          ...(tokenFilePath ? { tokenFilePath } : {}),
        });
      case "environment":
        return new identity.EnvironmentCredential(authority);
      case "visual-studio-code":
        return new identity.VisualStudioCodeCredential(authority);
      case "azure-cli":
        return new identity.AzureCliCredential();
      case "azure-powershell":
        return new identity.AzurePowerShellCredential();
      case "azure-developer-cli":
        return new identity.AzureDeveloperCliCredential();
      default:
        return new identity.DefaultAzureCredential(authority);
    }
  } catch (cause) {
    throw new KeylessError(
      "credential/configuration",
      `@azure/identity does not accept the environment: ${cause instanceof Error ? cause.message : "unknown"}`,
      { hint: "`copilot-keyless config` shows which credential is chosen, and why.", cause },
    );
  }
}

/** What an environment of the program's own sets, and `@azure/identity` would not see. */
function unseenVariables(kind: CredentialPlan["kind"], env: Environment): string[] {
  const own = environment();
  if (env === own) return [];
  const read = READ_BY_ITSELF[kind] ?? [];
  const unseen = Object.keys(env).filter(
    (name) => env[name] && env[name] !== own[name] && read.some((pattern) => pattern.test(name)),
  );
  const says = (from: Environment) => from.AZURE_TOKEN_CREDENTIALS?.trim().toLowerCase() ?? "";
  if (CHAINS.includes(kind) && says(env) !== says(own)) unseen.push("AZURE_TOKEN_CREDENTIALS");
  return unseen.sort();
}

function notSeen(names: string[]): KeylessError {
  return new KeylessError(
    "credential/configuration",
    `@azure/identity reads ${names.join(", ")} from process.env, where the value is not that of the env option`,
    { hint: "Set it in the environment of the process, or pass a credential of your own." },
  );
}
