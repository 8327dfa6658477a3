/** Environment variables, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Matches variables that hold a secret or say where to get one. The core learns only that they are
 * set, and the Copilot runtime receives none of them, whoever passes them. Ignores case, as Windows
 * does.
 */
export const SECRET_VARIABLES =
  /^(AZURE_(CLIENT_(SECRET|CERTIFICATE_(PATH|PASSWORD))|FEDERATED_TOKEN_FILE|KUBERNETES_TOKEN_PROXY|PASSWORD)|IDENTITY_(ENDPOINT|HEADER)|MSI_\w*|ACTIONS_ID_TOKEN_REQUEST_(URL|TOKEN)|SYSTEM_(OIDCREQUESTURI|ACCESSTOKEN)|SIDECAR_URL)$/i;

/** Those of {@link SECRET_VARIABLES} whose value is the secret itself. */
const SECRET_VALUE_VARIABLES = [
  "AZURE_CLIENT_SECRET",
  "AZURE_CLIENT_CERTIFICATE_PASSWORD",
  "AZURE_PASSWORD",
  "IDENTITY_HEADER",
  "MSI_SECRET",
  "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
  "SYSTEM_ACCESSTOKEN",
];

/** Shorter values could be part of an ordinary word, so they are not redacted. */
const MIN_SECRET_LENGTH = 8;

/**
 * Matches further variables of which the core learns only that they are set: user names, hosts, and
 * proxies, whose URL may hold a password.
 */
const PRESENCE_VARIABLES =
  /^(AZURE_USERNAME|AZURE_POD_IDENTITY_AUTHORITY_HOST|AZURE_KUBERNETES_(SNI_NAME|CA_(FILE|DATA))|GITHUB_ACTIONS|TF_BUILD|IMDS_ENDPOINT|IDENTITY_SERVER_THUMBPRINT|WEBSITE_SITE_NAME|FUNCTIONS_WORKER_RUNTIME|CONTAINER_APP_(JOB_)?NAME|KUBERNETES_SERVICE_HOST|(HTTPS?|ALL)_PROXY|(https?|all)_proxy)$/;

/** Matches variables that the core receives with their values. API keys are excluded. */
const VALUE_VARIABLES =
  /^((?:FOUNDRY|AZURE_AI|AZURE_OPENAI)_(?!\w*KEY$)\w+|AZURE_(TOKEN_CREDENTIALS|CLIENT_ID|TENANT_ID|AUTHORITY_HOST)|AZURESUBSCRIPTION_\w+_ID|DEFAULT_IDENTITY_CLIENT_ID|NO_PROXY|no_proxy)$/;

/** Used where there is no environment. A single object, because caches use it as a key. */
export const EMPTY_ENVIRONMENT: Environment = {};

/**
 * Returns the environment of this process. It is empty in a browser, and in Deno without the
 * permission to read all variables.
 */
export function environment(): Environment {
  const env = globalThis.process?.env;
  try {
    return env && Object.keys(env) ? env : EMPTY_ENVIRONMENT;
  } catch {
    return EMPTY_ENVIRONMENT;
  }
}

/** Lists the secret values in an environment. */
export function secretsIn(env: Environment): string[] {
  // Callers in plain JavaScript may pass values of any type.
  const values = SECRET_VALUE_VARIABLES.map((name) => String(env[name] ?? "").trim());
  return values.filter((value) => value.length >= MIN_SECRET_LENGTH);
}

/**
 * Selects the variables that the core uses; the value of one that it must not see becomes `set`.
 * On Windows, names are converted to upper case, because they ignore case there.
 */
export function coreEnvironment(
  env: Environment,
  platform: string | undefined = globalThis.process?.platform,
): Record<string, string> {
  const selected: Record<string, string> = {};
  for (const [key, value] of Object.entries(env)) {
    const name = platform === "win32" ? key.toUpperCase() : key;
    // Callers in plain JavaScript may pass values of any type; the core reports a wrong one.
    if (value === undefined || value === null) continue;
    if (VALUE_VARIABLES.test(name)) selected[name] = value;
    else if (SECRET_VARIABLES.test(name) || PRESENCE_VARIABLES.test(name)) {
      selected[name] = String(value).trim() && "set";
    }
  }
  return selected;
}
