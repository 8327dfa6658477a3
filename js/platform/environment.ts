/** An environment, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What opens a door: a secret, or where one is to be had. The core only learns that it is set, and the Copilot runtime gets none of it,
 * whoever passes it. In any case, since Windows knows none.
 */
export const SECRETS =
  /^(AZURE_(CLIENT_(SECRET|CERTIFICATE_(PATH|PASSWORD))|FEDERATED_TOKEN_FILE|PASSWORD)|IDENTITY_(ENDPOINT|HEADER)|MSI_\w*)$/i;

/** Those of them whose value is the secret itself, not a place. */
const SECRET_VALUES = [
  "AZURE_CLIENT_SECRET",
  "AZURE_CLIENT_CERTIFICATE_PASSWORD",
  "AZURE_PASSWORD",
  "IDENTITY_HEADER",
  "MSI_SECRET",
];

/** Shorter values may be a part of any word. */
const MIN_SECRET = 8;

/** More of which only matters that they are set: names, hosts, and proxies with a password in their URL. */
const SIGNS =
  /^(AZURE_USERNAME|AZURE_POD_IDENTITY_AUTHORITY_HOST|IMDS_ENDPOINT|IDENTITY_SERVER_THUMBPRINT|WEBSITE_SITE_NAME|FUNCTIONS_WORKER_RUNTIME|CONTAINER_APP_(JOB_)?NAME|KUBERNETES_SERVICE_HOST|(HTTPS?|ALL)_PROXY|(https?|all)_proxy)$/;

/** Those whose values count; no key is among them. */
const VALUES =
  /^((?:FOUNDRY|AZURE_AI|AZURE_OPENAI)_(?!\w*KEY$)\w+|AZURE_(TOKEN_CREDENTIALS|CLIENT_ID|TENANT_ID|AUTHORITY_HOST)|NO_PROXY|no_proxy)$/;

/** Where there is none. One object: caches go by it. */
export const NONE: Environment = {};

/** The environment of this process; none in a browser, nor in Deno without the permission to read all of it. */
export function environment(): Environment {
  const env = globalThis.process?.env;
  try {
    return env && Object.keys(env) ? env : NONE;
  } catch {
    return NONE;
  }
}

/** The secrets in an environment. */
export function secretsIn(env: Environment): string[] {
  // Plain JavaScript may pass anything.
  const values = SECRET_VALUES.map((name) => String(env[name] ?? "").trim());
  return values.filter((value) => value.length >= MIN_SECRET);
}

/** What the core may see of an environment. */
export function relevant(env: Environment): Record<string, string> {
  const seen: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    // Plain JavaScript may pass anything; the core says what is wrong with a value that counts.
    if (value === undefined || value === null) continue;
    if (VALUES.test(name)) seen[name] = value;
    else if (SECRETS.test(name) || SIGNS.test(name)) seen[name] = String(value).trim() && "set";
  }
  return seen;
}
