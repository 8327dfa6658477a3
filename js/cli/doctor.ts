import {
  createFoundryProvider,
  decodeToken,
  type FoundryProvider,
  ManagedIdentityCopilotAgent,
  type Notice,
} from "copilot-keyless";
import { probe } from "copilot-keyless/direct";
import ms from "ms";
import { systemClock } from "../clock.js";
import { installedVersion } from "../installed.js";
import { describeCredential } from "./credential.js";
import { DoctorReport, type Finding } from "./doctor-report.js";
import { Interruption } from "./interruption.js";
import { type EndpointOptions, providerOptions } from "./options.js";
import { namePrincipal } from "./principal.js";

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
  const report = new DoctorReport(options.json === true);
  const interruption = new Interruption();
  const stop = new AbortController();
  interruption.action = () => stop.abort();
  let provider: FoundryProvider | undefined;
  try {
    await report.check("environment", environment);
    await report.check("endpoint", async () => {
      provider = createFoundryProvider(providerOptions(options));
      return endpoint(provider);
    });
    for (const [name, check] of Object.entries({ credential, token, request, turn })) {
      await report.check(name, async () => check(provider as FoundryProvider, settings, stop.signal));
    }
  } catch (error) {
    if (!interruption.came) throw error;
    process.stderr.write("\nInterrupted.\n");
    return 130;
  } finally {
    interruption.close();
    provider?.close();
  }
  return report.finish();
}

/** What is installed. */
async function environment(): Promise<Finding> {
  const packages = ["@github/copilot-sdk", "@azure/identity"].map((name) => ({
    name,
    version: installedVersion(name),
  }));
  const missing = packages.filter(({ version }) => version === undefined).map(({ name }) => name);
  const detail = [
    `Node ${process.versions.node}`,
    ...packages.map(({ name, version }) => `${name} ${version ?? "not installed"}`),
  ].join(", ");
  const warnings: Notice[] = missing.map((name) => ({
    code: "not-installed",
    message: `${name} is not installed: npm install ${name}`,
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

async function token({ tokens, scope }: FoundryProvider): Promise<Finding> {
  if (scope === undefined) return { detail: "none is sent: no scope is known for this host" };
  const { token, expiresOnTimestamp } = await tokens.getToken();
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
    ...(scope === undefined ? {} : { token: await tokens.getToken() }),
    timeoutMs,
    signal,
  });
  if (diagnosis.code !== "ok") return { detail: diagnosis.title, diagnosis };
  return { detail: `${wireModel ?? model} answered, HTTP ${diagnosis.status}` };
}

/** A turn of the Copilot runtime, as an application would have it. */
async function turn(
  { tokens, scope }: FoundryProvider,
  settings: Settings,
  signal: AbortSignal,
): Promise<Finding> {
  await using agent = new ManagedIdentityCopilotAgent({
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
