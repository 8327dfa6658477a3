import {
  abortSignal,
  type Checks,
  callback,
  checkArgument,
  clock as clockCheck,
  duration,
  either,
  flag,
  list,
  object,
  readOptions,
  text,
} from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { hideSecretsOf } from "../errors/redact.js";
import { paired, send } from "../model/send.js";
import type { Clock } from "../platform/clock.js";
import { LONGEST_TIMER_MS, systemClock, unref, withSystemFallback } from "../platform/clock.js";
import { coreEnvironment, type Environment, environment } from "../platform/environment.js";
import { callCore, keylessError, planModule } from "../wasm/bindings.js";
import type { TokenCall, TokenSource } from "../wasm/identity.js";
import type { AccessToken } from "../wasm/token.js";
import type { AbortSignalLike, GetTokenOptions, TokenCredential } from "./credential.js";
import { credentialFailure } from "./failure.js";

/** Options of {@link createDirectCredential}; in Azure the environment says all. */
export interface DirectCredentialOptions {
  /**
   * Where the token comes from. `app-service`: the managed identity endpoint of App Service, Functions and Container Apps. `imds`: that
   * of virtual machines. `workload-identity`: a federated token, as on Kubernetes, is exchanged for one of Entra's.
   * `client-secret`: a service principal. Default: by the environment, in the order of `DefaultAzureCredential`; `imds` if it says
   * nothing.
   */
  source?: TokenSource | undefined;
  /** The client id of the application or of a user-assigned identity. Default: `AZURE_CLIENT_ID`. */
  clientId?: string | undefined;
  /** The object id of a user-assigned identity. */
  objectId?: string | undefined;
  /** The Azure resource id of a user-assigned identity. */
  resourceId?: string | undefined;
  /** The tenant of the application. Default: `AZURE_TENANT_ID`. */
  tenantId?: string | undefined;
  /** Where to sign in. Default: `AZURE_AUTHORITY_HOST`, else the public cloud's authority. */
  authorityHost?: string | undefined;
  /** Gives the federated token, anew for every request. Default: what the file of `AZURE_FEDERATED_TOKEN_FILE` holds then. */
  assertion?: (() => string | Promise<string>) | undefined;
  /** The secret of a service principal. Default: `AZURE_CLIENT_SECRET`. */
  clientSecret?: string | undefined;
  /** How long all attempts together may take, in milliseconds. Default 75,000: IMDS may be away for 70 s. */
  timeoutMs?: number | undefined;
  /** The environment to read. Default `process.env`. */
  env?: Environment | undefined;
  /** Where time comes from. */
  clock?: Clock | undefined;
}

const TIMEOUT_MS = 75_000;

/**
 * A credential without `@azure/identity`: asks Azure's identity endpoints itself, by reqwest in WebAssembly. It keeps no token:
 * `createBearerTokenProvider` and `createFoundryProvider` do. So a token that the resource rejected is never given again.
 *
 * Failures that may pass (404, 410, 429 and 5xx of IMDS; 408, 429, 5xx and lost connections elsewhere) are tried again, as long as
 * the caller waits.
 *
 * @throws KeylessError from `getToken`: `credential/...`, `expiry/...`, `provider/scope`; the signal's reason when it aborts
 * @example
 * ```ts
 * const credential = createDirectCredential(); // in Azure: the managed identity
 * const foundry = createFoundryProvider({ endpoint: "https://myres.openai.azure.com", credential });
 * ```
 */
export function createDirectCredential(options: DirectCredentialOptions = {}): TokenCredential {
  const read = readOptions(options, credentialChecks(), "credential/configuration");
  return {
    getToken: async (scopes, asked) => {
      checkArgument("scopes", scopes, either(text, list), "provider/scope");
      return acquire([scopes].flat(), read, readOptions(asked, CALL_CHECKS, "credential/configuration"));
    },
  };
}

function credentialChecks(): Checks<DirectCredentialOptions> {
  return {
    source: text,
    clientId: text,
    objectId: text,
    resourceId: text,
    tenantId: text,
    authorityHost: text,
    assertion: callback,
    clientSecret: text,
    timeoutMs: duration,
    env: object,
    clock: clockCheck,
  };
}

const CALL_CHECKS: Checks<GetTokenOptions> = { abortSignal, tenantId: text, claims: text, enableCae: flag };

/** One credential per environment and authority, so that its providers share one token cache. */
const credentials = new WeakMap<Environment, Map<string, TokenCredential>>();

/** The direct credential by the environment alone. */
export function directCredential(env: Environment, authorityHost: string | undefined): TokenCredential {
  const known = credentials.get(env) ?? new Map<string, TokenCredential>();
  credentials.set(env, known);
  const credential = known.get(authorityHost ?? "") ?? createDirectCredential({ env, authorityHost });
  known.set(authorityHost ?? "", credential);
  return credential;
}

async function acquire(
  scopes: string[],
  options: DirectCredentialOptions,
  { abortSignal, tenantId, claims }: GetTokenOptions,
): Promise<AccessToken> {
  const {
    env = environment(),
    assertion,
    clientSecret,
    timeoutMs = TIMEOUT_MS,
    clock: given = systemClock,
  } = options;
  const clock = withSystemFallback(given);
  const { source, clientId, objectId, resourceId, authorityHost } = options;
  hideSecretsOf(env);
  const call = callCore(() =>
    planModule().planTokenRequest({
      source,
      scopes,
      clientId,
      objectId,
      resourceId,
      tenantId: tenantId ?? options.tenantId,
      authorityHost,
      claims,
      ownAssertion: assertion !== undefined,
      ownSecret: clientSecret !== undefined,
      env: { ...coreEnvironment(env), ...addresses(env) },
    }),
  );
  const deadline = clock.monotonic() + timeoutMs;
  const signal = asSignal(abortSignal);
  for (let attempt = 0; ; attempt += 1) {
    // Anew for every attempt: a federated token may have been renewed meanwhile.
    const left = Math.min(Math.max(1, deadline - clock.monotonic()), LONGEST_TIMER_MS);
    const secret = await inTime(secretOf(call, env, options), left, clock, signal);
    const requestedAt = clock.now();
    const [status, body, ...headers] = await send(
      withSecret(call, secret, Math.min(call.timeoutMs, Math.max(1, deadline - clock.monotonic()))),
      undefined,
      signal,
    );
    const verdict = callCore(() =>
      planModule().judgeTokenAnswer({
        source: call.source,
        status,
        headers: paired(headers),
        body,
        secret,
        requestedAt,
        answeredAt: clock.now(),
        attempt,
        random: clock.random(),
      }),
    );
    if (verdict.token) return verdict.token;
    if (verdict.error) throw keylessError(verdict.error);
    const { retryInMs, retryAfterMs, message } = verdict.failure;
    if (retryInMs === undefined || clock.monotonic() + retryInMs >= deadline) {
      const { error } = credentialFailure(
        {
          message,
          status,
          retryAfterInMs: retryAfterMs,
          code: status || "network_error",
        },
        planModule(),
        clock.now(),
      );
      throw new KeylessError(error.code, error.message, {
        hint: error.hint,
        status: error.status,
        retryAfterMs,
      });
    }
    await pause(retryInMs, clock, signal);
  }
}

/** Where the endpoints are: not what opens them. */
function addresses(env: Environment): Record<string, string> {
  const names = ["IDENTITY_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST"];
  return Object.fromEntries(
    names.flatMap((name) => (env[name] === undefined ? [] : [[name, String(env[name])]])),
  );
}

/** The secret that goes with a call; empty if none does. */
async function secretOf(
  { secret }: TokenCall,
  env: Environment,
  { assertion, clientSecret }: DirectCredentialOptions,
): Promise<string> {
  if (!secret) return "";
  const value = String((secret.variable && env[secret.variable]) ?? "").trim();
  const found = await {
    "x-identity-header": () => value,
    client_secret: () => clientSecret ?? value,
    client_assertion: () => (assertion ? assertion() : readFile(value)),
  }[secret.name]();
  const text = typeof found === "string" ? found.trim() : "";
  // It is not shown: it may be nearly right.
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new KeylessError(
    "credential/configuration",
    `${nameOf(secret)} ${text === "" ? "is blank" : "holds white space or characters beyond ASCII"}`,
    { hint: "Look for a line break or a quote in it." },
  );
}

/** What holds a secret: never its value. */
function nameOf({ name, variable }: NonNullable<TokenCall["secret"]>): string {
  if (variable === "AZURE_FEDERATED_TOKEN_FILE") return `The file of ${variable}`;
  return variable ?? (name === "client_secret" ? "clientSecret" : "What assertion() gave");
}

/** A secret in time: an assertion of the program's own may hang. */
async function inTime(
  secret: Promise<string>,
  ms: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<string> {
  let stop = () => {};
  const late = new Promise<never>((_resolve, reject) => {
    const timer = clock.setTimeout(() => {
      const message = `assertion() gave nothing within ${Math.round(ms)} ms`;
      reject(new KeylessError("credential/failed", message, { hint: "Look at what it waits for." }));
    }, ms);
    const leave = () => reject(signal?.reason);
    signal?.addEventListener("abort", leave);
    stop = () => {
      clock.clearTimeout(timer);
      signal?.removeEventListener("abort", leave);
    };
    if (signal?.aborted) leave();
  });
  try {
    return await Promise.race([secret, late]);
  } finally {
    stop();
  }
}

/** The federated token, as it is now: its file is renewed every few minutes. */
function readFile(path: string): string {
  const fs = globalThis.process?.getBuiltinModule?.("node:fs");
  if (!fs) {
    throw new KeylessError(
      "credential/configuration",
      "AZURE_FEDERATED_TOKEN_FILE cannot be read: there are no files here",
      {
        hint: "Pass the assertion option, which gives the federated token.",
      },
    );
  }
  try {
    return fs.readFileSync(path, "utf8");
  } catch (cause) {
    // What is no path may be the token itself, put in the place of its file's name.
    const isPath = /^(\/|\.|[a-z]:[\\/])[ -~]*$/i.test(path);
    throw new KeylessError(
      "credential/configuration",
      `AZURE_FEDERATED_TOKEN_FILE cannot be read${isPath ? `: ${path}` : ", and is no path of a file"}`,
      {
        hint: 'Kubernetes mounts it into pods with the label azure.workload.identity/use: "true".',
        ...(isPath ? { cause } : {}),
      },
    );
  }
}

function withSecret({ url, headers, form, secret }: TokenCall, value: string, timeoutMs: number) {
  if (form === undefined) {
    return { url, headers: secret ? { ...headers, [secret.name]: value } : headers, timeoutMs };
  }
  return {
    url,
    headers,
    body: secret ? `${form}&${secret.name}=${encodeURIComponent(value)}` : form,
    timeoutMs,
  };
}

/** A platform's signal; one of `@azure/abort-controller` has no reason to reject with. */
function asSignal(given: AbortSignalLike | undefined): AbortSignal | undefined {
  if (given === undefined || given instanceof AbortSignal) return given;
  const controller = new AbortController();
  if (given.aborted) controller.abort();
  else given.addEventListener("abort", () => controller.abort());
  return controller.signal;
}

function pause(ms: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(done, ms);
    unref(timer);
    function done() {
      signal?.removeEventListener("abort", stop);
      resolve();
    }
    function stop() {
      clock.clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      reject(signal?.reason);
    }
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
  });
}
