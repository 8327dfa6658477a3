import {
  createBearerTokenProvider,
  createFoundryProvider,
  decodeToken,
  type Endpoint,
  type ErrorSummary,
  FoundryAgent,
  type FoundryProvider,
  type FoundryProviderOptions,
  KeylessError,
  type Notice,
  type TokenEvent,
} from "copilot-keyless";
import { probe } from "copilot-keyless/direct";
import ms from "ms";
import { systemClock } from "../platform/clock.js";
import { installedVersion } from "../platform/installed.js";
import { compareWithDirect, explainFailure } from "./compare-credentials.js";
import { describeCredential } from "./credential.js";
import { DoctorReport, type Finding } from "./doctor-report.js";
import { Interruption } from "./interruption.js";
import { installCommand } from "./missing-packages.js";
import { type EndpointOptions, providerOptions } from "./options.js";
import { shortPrincipal } from "./principal.js";

interface DoctorOptions extends EndpointOptions {
  json?: boolean;
  /** The deadline of the request and of the turn, each, in milliseconds. */
  timeout?: number;
}

interface Settings extends DoctorOptions {
  timeoutMs: number;
  /** Returns the failure of the default credential, if the direct one took over. */
  takenOver: () => ErrorSummary | undefined;
}

export const TIMEOUT_MS = 30_000;

/** Short, so that the turn is short. */
const PROMPT = "Reply with one word: ready";

/**
 * Checks the setup step by step, from the installed packages to a whole turn. Stops at the first
 * failure.
 */
export async function doctor(options: DoctorOptions): Promise<number> {
  let takenOver: ErrorSummary | undefined;
  const settings: Settings = {
    ...options,
    timeoutMs: options.timeout ?? TIMEOUT_MS,
    takenOver: () => takenOver,
  };
  const interruption = new Interruption();
  const stop = new AbortController();
  const report = new DoctorReport(options.json === true, stop.signal);
  interruption.action = () => stop.abort();
  let provider: FoundryProvider | undefined;
  try {
    await report.check("environment", environment);
    provider = await checkPlan(report, providerOptions(options), (failure) => {
      takenOver = failure;
    });
    for (const [name, check] of Object.entries({ token, request, turn })) {
      await report.check(name, async () => check(provider as FoundryProvider, settings, stop.signal));
    }
  } catch (error) {
    if (!interruption.raised) throw error;
    return report.interrupted();
  } finally {
    interruption.close();
    provider?.close();
  }
  return report.finish();
}

/** Checks the settings and the credential. Returns the provider, if there is one. */
export async function checkPlan(
  report: DoctorReport,
  settings: FoundryProviderOptions,
  onTakenOver: (failure: ErrorSummary) => void,
): Promise<FoundryProvider | undefined> {
  const { provider, error, credentialError } = plan(settings, onTakenOver);
  await report.check(error && !hasCategory("endpoint", error) ? "settings" : "endpoint", async () => {
    if (!provider) throw error;
    return endpoint(provider);
  });
  await report.check("credential", async () => {
    if (credentialError) throw credentialError;
    return credential(provider as FoundryProvider);
  });
  return provider;
}

/**
 * The provider for the settings, or the error of the settings. The error of the credential is
 * separate.
 */
interface Planned {
  provider?: FoundryProvider;
  error?: unknown;
  credentialError?: unknown;
}

function plan(settings: FoundryProviderOptions, onTakenOver: (failure: ErrorSummary) => void): Planned {
  const onEvent = (event: TokenEvent) => {
    if (event.type === "direct-fallback") onTakenOver(event.error);
  };
  try {
    return { provider: createFoundryProvider({ ...settings, tokens: { onEvent } }) };
  } catch (error) {
    if (!hasCategory("credential", error)) return { error };
    // Check the other settings all the same, with tokens that are never requested.
    const none = createBearerTokenProvider({ getToken: () => Promise.reject(error) }, "none");
    try {
      return { provider: createFoundryProvider({ ...settings, tokens: none }), credentialError: error };
    } catch (settingsError) {
      return { error: settingsError };
    }
  }
}

/** Whether the code of an error has a category, such as `endpoint`. */
function hasCategory(category: string, error: unknown): boolean {
  return error instanceof KeylessError && error.code.startsWith(`${category}/`);
}

/** What each package is needed for. */
const NEEDED_FOR = {
  "@github/copilot-sdk": "the turn needs it",
  "@azure/identity": 'tokens need it, except with the credential "direct"',
};

/** Checks the installed packages. */
async function environment(): Promise<Finding> {
  const packages = Object.entries(NEEDED_FOR).map(([name, need]) => ({
    name,
    need,
    version: installedVersion(name),
  }));
  const detail = [
    `Node ${process.versions.node}`,
    ...packages.map(({ name, version }) => `${name} ${version ?? "not installed"}`),
  ].join(", ");
  const warnings: Notice[] = packages
    .filter(({ version }) => version === undefined)
    .map(({ name, need }) => ({
      code: "not-installed",
      message: `${name} is not installed, and ${need}: ${installCommand([name])}`,
    }));
  return { detail, warnings };
}

/** Checks the settings. */
async function endpoint({ endpoint, model, config, sources, warnings }: FoundryProvider): Promise<Finding> {
  const cloud = endpoint.cloud === "unknown" ? "" : `, ${endpoint.cloud} cloud`;
  const deployed = config.wireModel ? ` deployed as ${config.wireModel}` : "";
  return {
    detail: `${config.baseUrl} (${endpoint.kind}${cloud}${from(sources.endpoint)}); model ${model}${deployed}${from(sources.model)}`,
    warnings,
    data: { endpoint, model, sources },
  };
}

async function credential({ credential, scope, sources }: FoundryProvider): Promise<Finding> {
  const scopeText = scope ? `; scope ${scope}${from(sources.scope)}` : "";
  return {
    detail: `${describeCredential(credential)}${from(credential.source)}${scopeText}`,
    warnings: credential.warnings,
    data: { credential, scope },
  };
}

/** Acquires a token. Of a managed identity, compares it with that of the direct credential. */
export async function token(
  provider: FoundryProvider,
  { takenOver }: Pick<Settings, "takenOver">,
  abortSignal: AbortSignal,
): Promise<Finding> {
  const { tokens, scope } = provider;
  if (scope === undefined) {
    return {
      detail:
        "no token: the scope of this host is unknown; set FOUNDRY_TOKEN_SCOPE or --scope if it needs one",
      skipped: true,
    };
  }
  const { token, expiresOnTimestamp } = await tokens
    .getToken({ abortSignal })
    .catch(async (error: unknown) => {
      throw await explainFailure(provider, error, abortSignal);
    });
  const { detail, warning } = await compareWithDirect(provider, token, takenOver(), abortSignal);
  const about = decodeToken(token);
  const remaining = ms(expiresOnTimestamp - systemClock.now());
  const audience = about.audience ? ` for ${about.audience}` : "";
  return {
    detail: `${shortPrincipal(about)}${audience}, expires in ${remaining}${detail ? `; ${detail}` : ""}`,
    warnings: warning ? [warning] : [],
    data: { token: about, expiresOn: expiresOnTimestamp },
  };
}

/** Sends one small request, without the Copilot runtime. */
export async function request(
  { endpoint, config, model, tokens, scope, sources }: FoundryProvider,
  { timeoutMs }: Pick<Settings, "timeoutMs">,
  signal: AbortSignal,
): Promise<Finding> {
  const { wireModel, wireApi } = config;
  const diagnosis = await probe({
    endpoint,
    model,
    ...(wireModel ? { deployment: wireModel } : {}),
    ...(wireApi ? { wireApi } : {}),
    ...(config.headers ? { headers: config.headers } : {}),
    ...(scope === undefined ? {} : { token: await tokens.getToken({ abortSignal: signal }) }),
    timeoutMs,
    signal,
  });
  const warnings = proxyWarnings(sources.proxy);
  if (diagnosis.code === "ok")
    return { detail: `${wireModel ?? model} answered, HTTP ${diagnosis.status}`, warnings };
  // The turn uses the proxy and may succeed.
  if (diagnosis.code === "network" && warnings.length > 0)
    return {
      detail: `no response without the proxy: ${diagnosis.message ?? diagnosis.title}`,
      warnings,
      skipped: true,
    };
  const speaker = NOT_AZURE.has(endpoint.kind) ? {} : { speaker: "Azure's response" };
  return { detail: diagnosis.title, diagnosis, warnings, ...speaker };
}

/** Endpoints that may not belong to Azure. */
const NOT_AZURE = new Set<Endpoint["kind"]>(["custom", "local", "openai", "gateway"]);

/** Warns if a proxy is configured: the Copilot runtime uses it, but Node's `fetch` does not. */
function proxyWarnings(variable: string | undefined): Notice[] {
  if (variable === undefined) return [];
  return [
    {
      code: "proxy-not-used",
      message: `${variable} is set: the Copilot runtime uses that proxy, but this request does not`,
    },
  ];
}

/** Runs a turn of the Copilot runtime, as an application would. */
async function turn(
  { tokens, scope }: FoundryProvider,
  settings: Settings,
  signal: AbortSignal,
): Promise<Finding> {
  await using agent = new FoundryAgent({
    ...providerOptions(settings),
    // Reuse the token of the request.
    ...(scope === undefined ? {} : { tokens }),
    preset: "chat",
    timeoutMs: settings.timeoutMs,
  });
  const reply = (await agent.chat(PROMPT, { signal })).replace(/\s+/g, " ").trim();
  return { detail: `the Copilot runtime replied: ${reply.length > 60 ? `${reply.slice(0, 60)}…` : reply}` };
}

function from(source: string): string {
  if (source === "option" || source === "default") return "";
  return `, from ${source}`;
}
