import {
  createBearerTokenProvider,
  createFoundryProvider,
  decodeToken,
  type Endpoint,
  FoundryAgent,
  type FoundryProvider,
  KeylessError,
  type Notice,
} from "copilot-keyless";
import { probe } from "copilot-keyless/direct";
import ms from "ms";
import { systemClock } from "../platform/clock.js";
import { installedVersion } from "../platform/installed.js";
import { describeCredential } from "./credential.js";
import { DoctorReport, type Finding } from "./doctor-report.js";
import { Interruption } from "./interruption.js";
import { type EndpointOptions, providerOptions } from "./options.js";
import { namePrincipal } from "./principal.js";
import { proxyVariable } from "./proxy.js";

interface DoctorOptions extends EndpointOptions {
  json?: boolean;
  /** Milliseconds that the request and the turn may take each. */
  timeout?: number;
}

type Settings = DoctorOptions & { timeoutMs: number };

const TIMEOUT_MS = 30_000;

/** Short, so that the turn is, too. */
const PROMPT = "Reply with one word: ready";

/** Looks at one thing after the other, from what is installed to a whole turn; what needs a thing that is broken is left out. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const settings = { ...options, timeoutMs: options.timeout ?? TIMEOUT_MS };
  const interruption = new Interruption();
  const stop = new AbortController();
  const report = new DoctorReport(options.json === true, stop.signal);
  interruption.action = () => stop.abort();
  let provider: FoundryProvider | undefined;
  try {
    await report.check("environment", environment);
    const planned = plan(options);
    provider = planned.provider;
    await report.check(
      planned.refused && !isOf("endpoint", planned.refused) ? "settings" : "endpoint",
      async () => {
        if (!provider) throw planned.refused;
        return endpoint(provider);
      },
    );
    await report.check("credential", async () => {
      if (planned.credentialRefused) throw planned.credentialRefused;
      return credential(provider as FoundryProvider);
    });
    for (const [name, check] of Object.entries({ token, request, turn })) {
      await report.check(name, async () => check(provider as FoundryProvider, settings, stop.signal));
    }
  } catch (error) {
    if (!interruption.came) throw error;
    return report.interrupted();
  } finally {
    interruption.close();
    provider?.close();
  }
  return report.finish();
}

/** What the settings come to, or what is wrong with them; the credential's apart. */
interface Planned {
  provider?: FoundryProvider;
  refused?: unknown;
  credentialRefused?: unknown;
}

function plan(options: DoctorOptions): Planned {
  const given = providerOptions(options);
  try {
    return { provider: createFoundryProvider(given) };
  } catch (error) {
    if (!isOf("credential", error)) return { refused: error };
    // The rest is looked at all the same, with tokens that nobody will ask for.
    const none = createBearerTokenProvider({ getToken: () => Promise.reject(error) }, "none");
    try {
      return { provider: createFoundryProvider({ ...given, tokens: none }), credentialRefused: error };
    } catch (refused) {
      return { refused };
    }
  }
}

/** Whether it is an error of this family, such as `endpoint`. */
function isOf(family: string, error: unknown): boolean {
  return error instanceof KeylessError && error.code.startsWith(`${family}/`);
}

/** What needs each package. */
const NEEDED = {
  "@github/copilot-sdk": "the turn needs it",
  "@azure/identity": 'tokens need it, but for the credential "direct"',
};

/** What is installed. */
async function environment(): Promise<Finding> {
  const packages = Object.entries(NEEDED).map(([name, need]) => ({
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
      message: `${name} is not installed, and ${need}: npm install ${name}`,
    }));
  return { detail, warnings };
}

/** What the settings come to. */
async function endpoint({ endpoint, model, config, sources, warnings }: FoundryProvider): Promise<Finding> {
  const cloud = endpoint.cloud === "unknown" ? "" : `, ${endpoint.cloud} cloud`;
  const deployed = config.wireModel ? ` deployed as ${config.wireModel}` : "";
  return {
    detail: `${config.baseUrl} (${endpoint.kind}${cloud}${by(sources.endpoint)}); model ${model}${deployed}${by(sources.model)}`,
    warnings,
    data: { endpoint, model, sources },
  };
}

async function credential({ credential, scope, sources }: FoundryProvider): Promise<Finding> {
  const wants = scope ? `; scope ${scope}${by(sources.scope)}` : "";
  return {
    detail: `${describeCredential(credential)}${by(credential.source)}${wants}`,
    warnings: credential.warnings,
    data: { credential, scope },
  };
}

async function token(
  { tokens, scope }: FoundryProvider,
  _settings: Settings,
  abortSignal: AbortSignal,
): Promise<Finding> {
  if (scope === undefined) {
    return {
      detail: "no token: no scope is known for this host; set FOUNDRY_TOKEN_SCOPE or --scope if it wants one",
      skipped: true,
    };
  }
  const { token, expiresOnTimestamp } = await tokens.getToken({ abortSignal });
  const about = decodeToken(token);
  const left = ms(expiresOnTimestamp - systemClock.now());
  const audience = about.audience ? ` for ${about.audience}` : "";
  return {
    detail: `${namePrincipal(about)}${audience}, good for ${left}`,
    data: { token: about, expiresOn: expiresOnTimestamp },
  };
}

/** One small request, without the Copilot runtime. */
async function request(
  { endpoint, config, model, tokens, scope }: FoundryProvider,
  { timeoutMs }: Settings,
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
  const warnings = pastProxy(endpoint.baseUrl);
  if (diagnosis.code === "ok")
    return { detail: `${wireModel ?? model} answered, HTTP ${diagnosis.status}`, warnings };
  // The turn goes through the proxy, and may well be answered.
  if (diagnosis.code === "network" && warnings.length > 0)
    return {
      detail: `no answer past the proxy: ${diagnosis.message ?? diagnosis.title}`,
      warnings,
      skipped: true,
    };
  const speaker = FOREIGN.has(endpoint.kind) ? {} : { speaker: "Azure's words" };
  return { detail: diagnosis.title, diagnosis, warnings, ...speaker };
}

/** Hosts that need not be Azure's. */
const FOREIGN = new Set<Endpoint["kind"]>(["custom", "local", "openai", "gateway"]);

/** Node's `fetch` asks no proxy, and the Copilot runtime does. */
function pastProxy(url: string): Notice[] {
  const variable = proxyVariable(url, process.env);
  if (variable === undefined) return [];
  return [
    {
      code: "proxy-not-used",
      message: `${variable} is set: the Copilot runtime goes through that proxy, and this request goes past it`,
    },
  ];
}

/** A turn of the Copilot runtime, as an application would have it. */
async function turn(
  { tokens, scope }: FoundryProvider,
  settings: Settings,
  signal: AbortSignal,
): Promise<Finding> {
  await using agent = new FoundryAgent({
    ...providerOptions(settings),
    // The token that the request had.
    ...(scope === undefined ? {} : { tokens }),
    session: { availableTools: [] },
    timeoutMs: settings.timeoutMs,
  });
  const reply = (await agent.chat(PROMPT, { signal })).replace(/\s+/g, " ").trim();
  return { detail: `the Copilot runtime replied: ${reply.length > 60 ? `${reply.slice(0, 60)}…` : reply}` };
}

function by(source: string): string {
  if (source === "option" || source === "default") return "";
  return `, by ${source}`;
}
