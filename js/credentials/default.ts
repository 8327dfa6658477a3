import { KeylessError } from "../errors/keyless-error.js";
import { coreEnvironment, type Environment, environment } from "../platform/environment.js";
import { planModule } from "../wasm/bindings.js";
import type { CredentialPlan } from "../wasm/types/provider.js";
import type { AccessToken } from "../wasm/types/token.js";
import type { GetTokenOptions, TokenCredential } from "./credential.js";
import { createDirectCredential, createSingleAttemptCredential, directCredential } from "./direct.js";
import { registerUncached } from "./uncached.js";

type Identity = typeof import("@azure/identity");

/** One credential per distinct plan and process, so that all providers share its token cache. */
const credentials = new Map<string, TokenCredential>();

const PRINCIPAL_VARIABLES =
  /^AZURE_(TENANT_ID|CLIENT_ID|CLIENT_SECRET|CLIENT_CERTIFICATE_PATH|CLIENT_CERTIFICATE_PASSWORD|USERNAME|PASSWORD)$/;
const MANAGED_IDENTITY_VARIABLES =
  /^(IDENTITY_(ENDPOINT|HEADER|SERVER_THUMBPRINT)|IMDS_ENDPOINT|MSI_(ENDPOINT|SECRET)|DEFAULT_IDENTITY_CLIENT_ID|AZURE_(POD_IDENTITY_AUTHORITY_HOST|FEDERATED_TOKEN_FILE))$/;

/**
 * The variables that `@azure/identity` reads from `process.env` itself, by kind of credential.
 * Other settings are passed to it.
 */
const READ_FROM_PROCESS: Partial<Record<CredentialPlan["kind"], readonly RegExp[]>> = {
  environment: [PRINCIPAL_VARIABLES],
  "managed-identity": [MANAGED_IDENTITY_VARIABLES],
  default: [PRINCIPAL_VARIABLES, MANAGED_IDENTITY_VARIABLES],
  "deployed-service": [PRINCIPAL_VARIABLES, MANAGED_IDENTITY_VARIABLES],
};

/**
 * The number of retries that it makes after a 5xx. By default it retries for 19 s after a 404, so
 * callers that wait for 15 s would not learn the endpoint's error. The refresh schedule retries,
 * too.
 */
const MANAGED_IDENTITY_RETRIES = { retryOptions: { maxRetries: 3 } };

/** The chains, which read `AZURE_TOKEN_CREDENTIALS` themselves. */
const CHAINS: readonly CredentialPlan["kind"][] = ["default", "developer-tools", "deployed-service"];

/**
 * The kinds for which a direct credential finds the same identity in the same environment, besides
 * those of a managed identity, which the core knows. It throws for an environment that it does not
 * support.
 */
const WITH_UNCACHED_FALLBACK: readonly CredentialPlan["kind"][] = ["workload-identity", "environment"];

/** The kinds for which MSAL looks for the agent of Azure Arc. */
const MANAGED_IDENTITIES: readonly CredentialPlan["kind"][] = ["managed-identity", "deployed-service"];

/** The kinds that the direct credential serves, as no class of `@azure/identity` finds them by itself. */
const DIRECT: readonly CredentialPlan["kind"][] = ["github-actions", "azure-pipelines"];

/** The deadline of the fallback. Short enough that waiting callers learn its outcome. */
const FALLBACK_TIMEOUT_MS = 5_000;

/** Imports `@azure/identity` ahead of a credential of this kind, if it is one of that package. */
export async function preloadIdentity(kind: CredentialPlan["kind"] | "own"): Promise<void> {
  if (kind !== "own" && !DIRECT.includes(kind)) await import("@azure/identity");
}

/**
 * Returns the planned credential: one of `@azure/identity`, or a direct one. It imports the package
 * and constructs the credential when the first token is requested.
 */
export function defaultCredential(plan: CredentialPlan, env: Environment): TokenCredential {
  const { kind, clientId, tenantId, authorityHost } = plan;
  if (DIRECT.includes(kind)) return directCredential(env, authorityHost);
  const unseen = unseenVariables(kind, env);
  if (unseen.length > 0 && isDirect(kind, env)) return directCredential(env, authorityHost);
  const tokenFile = kind === "workload-identity" ? env.AZURE_FEDERATED_TOKEN_FILE?.trim() : undefined;
  const fallback = fallbackOf(kind, env);
  const key = JSON.stringify([kind, clientId, tenantId, authorityHost, tokenFile, unseen, fallback]);
  const existing = credentials.get(key);
  if (existing) return existing;
  const credential = new LazyCredential((identity) => {
    if (unseen.length > 0) throw unseenVariablesError(unseen);
    return construct(identity, plan, tokenFile);
  });
  credentials.set(key, credential);
  if (fallback) {
    // A copy of the environment: later changes must not select another identity.
    const settings = { env: { ...env }, authorityHost, timeoutMs: FALLBACK_TIMEOUT_MS };
    registerUncached(credential, {
      credential: createDirectCredential(settings),
      // MSAL has retried by then.
      ...(fallback.onFailure ? { onFailure: createSingleAttemptCredential(settings) } : {}),
    });
  }
  return credential;
}

/**
 * Whether the direct credential takes the place of one that would read another environment: for a
 * service principal, and where an identity endpoint of the environment comes first. It throws for
 * what it does not support, such as a certificate.
 */
function isDirect(kind: CredentialPlan["kind"], env: Environment): boolean {
  // As if there were an agent of Azure Arc: the metadata service is the machine's, not the option's.
  return kind === "environment" || planModule().hasDirectFallback(coreEnvironment(env), true);
}

/** When the direct credential takes the place of another one, and the variables it would read. */
interface Fallback {
  onFailure: boolean;
  variables: [string, string][];
}

/** Returns the fallback for an environment, if the direct credential finds the same identity in it. */
function fallbackOf(kind: CredentialPlan["kind"], env: Environment): Fallback | undefined {
  // Where this variable is set, `@azure/identity` allows no tenant per call; the fallback would.
  const oneTenant = "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH";
  if (env[oneTenant] || environment()[oneTenant]) return undefined;
  const variables = credentialVariables(env);
  // With other variables, `@azure/identity` may find another identity, such as a federated one.
  const same = JSON.stringify(variables) === JSON.stringify(credentialVariables(environment()));
  const arcAgent = same && MANAGED_IDENTITIES.includes(kind) && hasArcAgent();
  const onFailure = same && planModule().hasDirectFallback(coreEnvironment(env), arcAgent);
  return onFailure || WITH_UNCACHED_FALLBACK.includes(kind) ? { onFailure, variables } : undefined;
}

/** Lists the variables that choose an identity and are set, in the order of their names. */
function credentialVariables(env: Environment): [string, string][] {
  return (
    Object.entries(env)
      .filter(([name, value]) => value && isCredentialVariable(name))
      // Callers in plain JavaScript may pass values of any type.
      .map(([name, value]): [string, string] => [name, String(value)])
      .sort(([a], [b]) => (a < b ? -1 : 1))
  );
}

const isCredentialVariable = (name: string) =>
  PRINCIPAL_VARIABLES.test(name) || MANAGED_IDENTITY_VARIABLES.test(name);

/** The agent of Azure Arc on Linux. */
const HIMDS = "/opt/azcmagent/bin/himds";

/** Whether the agent of Azure Arc is installed. MSAL looks for the same file. */
function hasArcAgent(): boolean {
  const { process } = globalThis;
  const fs = process?.getBuiltinModule?.("node:fs");
  if (!fs) return false;
  const windows = process?.platform === "win32";
  const file = windows ? `${environment().ProgramFiles}\\AzureConnectedMachineAgent\\himds.exe` : HIMDS;
  try {
    fs.accessSync(file);
    return true;
  } catch {
    return false;
  }
}

class LazyCredential implements TokenCredential {
  readonly #construct: (identity: Identity) => TokenCredential;
  #inner: Promise<TokenCredential> | undefined;

  constructor(construct: (identity: Identity) => TokenCredential) {
    this.#construct = construct;
  }

  async getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null> {
    this.#inner ??= this.#load();
    let inner: TokenCredential;
    try {
      inner = await this.#inner;
    } catch (error) {
      this.#inner = undefined;
      throw error;
    }
    return inner.getToken(scopes, options);
  }

  async #load(): Promise<TokenCredential> {
    let identity: Identity;
    try {
      identity = await import("@azure/identity");
    } catch (cause) {
      throw new KeylessError("credential/not-installed", "@azure/identity is not installed", {
        hint: "Run `npm install @azure/identity`, or pass your own credential.",
        cause,
      });
    }
    return this.#construct(identity);
  }
}

function construct(
  identity: Identity,
  plan: CredentialPlan,
  tokenFilePath: string | undefined,
): TokenCredential {
  const { kind, clientId, tenantId, authorityHost } = plan;
  const authority = authorityHost === undefined ? {} : { authorityHost };
  const client = clientId === undefined ? {} : { clientId };
  try {
    switch (kind) {
      case "managed-identity":
        return new identity.ManagedIdentityCredential({
          ...authority,
          ...client,
          ...MANAGED_IDENTITY_RETRIES,
        });
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
        return new identity.DefaultAzureCredential({ ...authority, ...hostedAgent(plan) });
    }
  } catch (cause) {
    throw new KeylessError(
      "credential/configuration",
      `@azure/identity rejects the environment: ${cause instanceof Error ? cause.message : "unknown"}`,
      { hint: "Run `copilot-keyless config` to see which credential is used, and why.", cause },
    );
  }
}

/** Names the identity of a hosted agent, which the chain does not look for. */
function hostedAgent({ clientId, clientIdSource }: CredentialPlan): { managedIdentityClientId?: string } {
  const named = clientIdSource === "FOUNDRY_AGENT_INSTANCE_CLIENT_ID" && clientId !== undefined;
  return named ? { managedIdentityClientId: clientId } : {};
}

/**
 * Lists the variables of the `env` option that differ from `process.env`, where `@azure/identity`
 * reads them.
 */
function unseenVariables(kind: CredentialPlan["kind"], env: Environment): string[] {
  const processEnv = environment();
  if (env === processEnv) return [];
  const patterns = READ_FROM_PROCESS[kind] ?? [];
  const unseen = Object.keys(env).filter(
    (name) => env[name] && env[name] !== processEnv[name] && patterns.some((pattern) => pattern.test(name)),
  );
  const chainOf = (from: Environment) => from.AZURE_TOKEN_CREDENTIALS?.trim().toLowerCase() ?? "";
  if (CHAINS.includes(kind) && chainOf(env) !== chainOf(processEnv)) unseen.push("AZURE_TOKEN_CREDENTIALS");
  return unseen.sort();
}

function unseenVariablesError(names: string[]): KeylessError {
  return new KeylessError(
    "credential/configuration",
    `@azure/identity reads ${names.join(", ")} from process.env, where the value differs from the env option`,
    {
      hint: 'Pass credential: "direct", which reads the env option alone; or set it in the environment of the process.',
    },
  );
}
