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
  readKnownOptions,
  readOptions,
  text,
} from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { hideSecretsOf } from "../errors/redact.js";
import type { Clock } from "../platform/clock.js";
import { LONGEST_TIMER_MS, systemClock, unref, withSystemFallback } from "../platform/clock.js";
import { coreEnvironment, type Environment, environment } from "../platform/environment.js";
import { callCore, callPlan, coreModule, keylessError } from "../wasm/bindings.js";
import { explainModule } from "../wasm/explain-bindings.js";
import { toHeaders } from "../wasm/send.js";
import type {
  SecretPlace,
  SidecarOptions,
  TokenCall,
  TokenFailure,
  TokenSource,
  TokenVerdict,
} from "../wasm/types/identity.js";
import type { AccessToken } from "../wasm/types/token.js";
import { attemptsOf } from "./attempts.js";
import type { AbortSignalLike, GetTokenOptions, TokenCredential } from "./credential.js";
import { credentialFailure, NO_RESPONSE } from "./failure.js";
import { secretOf, withSecretDeadline } from "./request-secret.js";
import { sendCall } from "./send-call.js";
import { sha256 } from "./token-hash.js";
import { registerRenewal } from "./uncached.js";

/**
 * Options of {@link createDirectCredential}. In Azure none is needed: the environment has all
 * settings.
 */
export interface DirectCredentialOptions {
  /**
   * The identity endpoint. `app-service`: the managed identity endpoint of App Service, Functions
   * and Container Apps. `imds`: that of virtual machines. `service-fabric`, `machine-learning`:
   * those of these hosts. `workload-identity`: exchanges a federated token, as on Kubernetes, for
   * one of Entra. `github-actions`, `azure-pipelines`: the same with the OIDC token of the job.
   * `client-secret`: a service principal. `sidecar`: a Microsoft Entra ID auth sidecar. Default: by
   * the environment, in the order of `DefaultAzureCredential`, then a job's token, or else `imds`.
   */
  source?: TokenSource | undefined;
  /**
   * The client id of the application or of a user-assigned identity. Default: `AZURE_CLIENT_ID`.
   */
  clientId?: string | undefined;
  /** The object id of a user-assigned identity. */
  objectId?: string | undefined;
  /** The Azure resource id of a user-assigned identity. */
  resourceId?: string | undefined;
  /** The tenant of the application. Default: `AZURE_TENANT_ID`. */
  tenantId?: string | undefined;
  /**
   * The authority to sign in at. Default: `AZURE_AUTHORITY_HOST`, which for the OIDC token of a job
   * must be one of Entra, or else the public cloud's.
   */
  authorityHost?: string | undefined;
  /**
   * Returns the federated token. Called for every attempt. Default: reads
   * `AZURE_FEDERATED_TOKEN_FILE`.
   */
  assertion?: (() => string | Promise<string>) | undefined;
  /** The secret of a service principal. Default: `AZURE_CLIENT_SECRET`. */
  clientSecret?: string | undefined;
  /**
   * The service connection of Azure Pipelines. Default: `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`.
   */
  serviceConnectionId?: string | undefined;
  /** The request to an auth sidecar. Selects the source `sidecar`. */
  sidecar?: SidecarOptions | undefined;
  /**
   * Whether a workload identity uses the AKS identity binding (preview) that the environment names.
   * Needs `node:tls`. Default false.
   */
  identityBinding?: boolean | undefined;
  /**
   * The deadline for all attempts together, in milliseconds. Default 75,000: IMDS may be down for
   * 70 s.
   */
  timeoutMs?: number | undefined;
  /** The environment to read. Default `process.env`. */
  env?: Environment | undefined;
  /** @deprecated Use `withClock(clock, options)` of `copilot-keyless/testing`. */
  clock?: Clock | undefined;
}

const TIMEOUT_MS = 75_000;

/**
 * Creates a credential that needs no `@azure/identity`: it calls Azure's identity endpoints itself,
 * with reqwest in WebAssembly. It does not cache tokens; `createBearerTokenProvider` and
 * `createFoundryProvider` do. The platform caches a managed identity's token for about a day. After
 * the resource rejected it, App Service and Service Fabric are asked once to renew it; whether they
 * do was not tested on live Azure.
 *
 * Retries transient failures until `timeoutMs`: 404, 410, 429 and 5xx of IMDS; 408, 429, 5xx and
 * lost connections elsewhere.
 *
 * @throws KeylessError from `getToken`: `credential/...`, `expiry/...`, `provider/scope`; when the
 *   signal aborts, its reason
 * @example
 * ```ts
 * const credential = createDirectCredential(); // in Azure: the managed identity
 * const foundry = createFoundryProvider({ endpoint: "https://myres.openai.azure.com", credential });
 * ```
 */
export function createDirectCredential(options: DirectCredentialOptions = {}): TokenCredential {
  return createCredential(options, { renewalRefused: false, retries: true });
}

/** Creates a direct credential that sends each request once: for a caller that has already retried. */
export function createSingleAttemptCredential(options: DirectCredentialOptions): TokenCredential {
  return createCredential(options, { renewalRefused: false, retries: false });
}

/** What a credential knows besides its options. */
interface State {
  /** Whether the endpoint refused to renew a token. */
  renewalRefused: boolean;
  readonly retries: boolean;
}

function createCredential(options: DirectCredentialOptions, state: State): TokenCredential {
  const settings = readOptions(options, credentialChecks(), "credential/configuration");
  hideSecretsOf({ AZURE_CLIENT_SECRET: settings.clientSecret });
  const credential: TokenCredential = {
    getToken: async (scopes, callOptions) => {
      checkArgument("scopes", scopes, either(text, list), "provider/scope");
      // Clients of the Azure SDK pass options of their own.
      const call = readKnownOptions(callOptions, CALL_CHECKS, "credential/configuration");
      return acquire([scopes].flat(), settings, call, state);
    },
  };
  registerRenewal(credential, async (scopes, call, rejectedToken) =>
    acquire([scopes].flat(), settings, call, state, await sha256(rejectedToken)),
  );
  return credential;
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
    serviceConnectionId: text,
    sidecar: object,
    identityBinding: flag,
    timeoutMs: duration,
    env: object,
    clock: clockCheck,
  };
}

const CALL_CHECKS: Checks<GetTokenOptions> = { abortSignal, tenantId: text, claims: text, enableCae: flag };

/** One credential per environment and authority, so that providers share one token cache. */
const credentials = new WeakMap<Environment, Map<string, TokenCredential>>();

/** Returns the direct credential for an environment. */
export function directCredential(env: Environment, authorityHost: string | undefined): TokenCredential {
  const byAuthority = credentials.get(env) ?? new Map<string, TokenCredential>();
  credentials.set(env, byAuthority);
  const key = authorityHost ?? "";
  const credential = byAuthority.get(key) ?? createDirectCredential({ env, authorityHost });
  byAuthority.set(key, credential);
  return credential;
}

/** @param rejectedTokenSha256 the hash of a token to renew */
async function acquire(
  scopes: string[],
  options: DirectCredentialOptions,
  { abortSignal, tenantId, claims }: GetTokenOptions,
  state: State,
  rejectedTokenSha256?: string,
): Promise<AccessToken> {
  const {
    env = environment(),
    assertion,
    clientSecret,
    timeoutMs = TIMEOUT_MS,
    clock: baseClock = systemClock,
  } = options;
  const clock = withSystemFallback(baseClock);
  const { source, clientId, objectId, resourceId, authorityHost } = options;
  const { serviceConnectionId, sidecar, identityBinding } = options;
  hideSecretsOf(env);
  const plan = (sha256?: string) =>
    callPlan((planner) =>
      planner.planTokenRequest({
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
        serviceConnectionId,
        sidecar,
        identityBinding,
        rejectedTokenSha256: sha256,
        renewalRefused: state.renewalRefused,
        env: { ...coreEnvironment(env), ...endpointVariables(env) },
      }),
    );
  let call = plan(rejectedTokenSha256);
  const deadline = clock.monotonic() + timeoutMs;
  const signal = asSignal(abortSignal);
  const attempts = attemptsOf(abortSignal);
  const remainingMs = () => Math.min(Math.max(1, deadline - clock.monotonic()), LONGEST_TIMER_MS);
  // Read for every attempt: a federated token may have been renewed meanwhile.
  const read = (place: SecretPlace | undefined) =>
    withSecretDeadline(secretOf(place, env, options), remainingMs(), clock, signal);
  for (let attempt = 0; ; attempt += 1) {
    const ask = async (request: TokenCall, secret: string): Promise<TokenVerdict> => {
      const requestedAt = clock.now();
      attempts?.started(request, { host: new URL(request.url).host });
      const [status, body, ...headers] = await sendCall(
        request,
        secret,
        Math.min(request.timeoutMs, remainingMs()),
        signal,
      );
      attempts?.answered(request, status);
      const { source } = call;
      const ofAssertion = request === call.assertionCall;
      return callCore(
        () =>
          coreModule().acceptTokenAnswer(source, ofAssertion, status, body, requestedAt) ??
          explainModule().judgeTokenAnswer({
            source,
            ofAssertion,
            renews: request.renews,
            status,
            headers: toHeaders(headers),
            body,
            secret,
            requestedAt,
            answeredAt: clock.now(),
            attempt,
            random: clock.random(),
          }),
      );
    };
    const { assertionCall } = call;
    let verdict = assertionCall && (await ask(assertionCall, await read(assertionCall.secret)));
    if (verdict === undefined) verdict = await ask(call, await read(call.secret));
    else if ("assertion" in verdict) verdict = await ask(call, verdict.assertion);
    if ("token" in verdict) return verdict.token;
    if ("error" in verdict) throw keylessError(verdict.error);
    if ("notRenewed" in verdict) {
      state.renewalRefused ||= verdict.notRenewed.refused;
      call = plan();
      // The ordinary request has all its attempts.
      attempt -= 1;
      continue;
    }
    const { failure } = verdict as { failure: TokenFailure };
    const { retryInMs, retryAfterMs, message, code, hint, status } = failure;
    const said = { message, status, retryAfterInMs: retryAfterMs, code: status ?? NO_RESPONSE };
    attempts?.failed(call, said, status);
    if (!state.retries || retryInMs === undefined || clock.monotonic() + retryInMs >= deadline) {
      const { error } = credentialFailure(said, clock.now(), { code, hint, env });
      const details = { hint: error.hint, status: error.status, retryAfterMs };
      throw new KeylessError(error.code, error.message, details);
    }
    await pause(retryInMs, clock, signal);
  }
}

/** Selects the variables with the addresses and certificates of the endpoints, not with their secrets. */
function endpointVariables(env: Environment): Record<string, string> {
  const names = [
    "IDENTITY_ENDPOINT",
    "IDENTITY_SERVER_THUMBPRINT",
    "MSI_ENDPOINT",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "SYSTEM_OIDCREQUESTURI",
    "SIDECAR_URL",
    "AZURE_KUBERNETES_TOKEN_PROXY",
    "AZURE_KUBERNETES_SNI_NAME",
    "AZURE_KUBERNETES_CA_FILE",
    "AZURE_KUBERNETES_CA_DATA",
  ];
  return Object.fromEntries(
    names.flatMap((name) => (env[name] === undefined ? [] : [[name, String(env[name])]])),
  );
}

/**
 * Converts a signal to the platform's: one of `@azure/abort-controller` has no reason to reject
 * with.
 */
function asSignal(signal: AbortSignalLike | undefined): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  const controller = new AbortController();
  if (signal.aborted) controller.abort();
  else signal.addEventListener("abort", () => controller.abort());
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
