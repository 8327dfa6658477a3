import { createFoundryProvider, type ErrorSummary, type FoundryProviderOptions } from "copilot-keyless";
import type { GatewayBackend, GatewayOptions } from "copilot-keyless/gateway";
import { redact } from "../errors/redact.js";
import { json as formatJson, oneLine } from "./clean.js";
import { out } from "./colors.js";
import { checkPlan, request, TIMEOUT_MS, token } from "./doctor.js";
import { DoctorReport } from "./doctor-report.js";
import { Interruption } from "./interruption.js";

/**
 * `copilot-keyless gateway --check`: diagnoses each backend as `doctor` does, without a turn of the
 * Copilot runtime, and with a request to each model. Returns 1 if a check of any backend fails.
 */
export async function checkGateway(
  options: GatewayOptions,
  { json = false, timeout = TIMEOUT_MS }: { json?: boolean; timeout?: number },
): Promise<number> {
  const {
    backends = [{}],
    port: _port,
    host: _host,
    keyFile: _keyFile,
    allowHosts: _hosts,
    allowOrigins: _origins,
    limits: _limits,
    ...shared
  } = options;
  const stop = new AbortController();
  const interruption = new Interruption();
  interruption.action = () => stop.abort();
  const results: object[] = [];
  let failed = 0;
  try {
    for (const [at, { name, ...backend }] of backends.entries()) {
      const title = name ?? backend.endpoint ?? shared.endpoint;
      if (!json && backends.length > 1) {
        process.stdout.write(
          `${at === 0 ? "" : "\n"}${out.bold(oneLine(title ?? "the environment's endpoint"))}\n`,
        );
      }
      const report = new DoctorReport(json, stop.signal);
      await check(report, { ...shared, ...backend }, timeout, stop.signal);
      results.push({ backend: title, ...report.result });
      if (!report.result.ok) failed += 1;
      if (!json) report.finish();
    }
  } catch (error) {
    if (!interruption.raised) throw error;
    if (json)
      process.stdout.write(formatJson({ ok: false, interrupted: true, backends: results }, 2, redact));
    process.stderr.write("\nInterrupted.\n");
    return 130;
  } finally {
    interruption.close();
  }
  if (json) process.stdout.write(formatJson({ ok: failed === 0, backends: results }, 2, redact));
  return failed === 0 ? 0 : 1;
}

async function check(
  report: DoctorReport,
  { models = [], priority: _priority, weight: _weight, firstByteMs: _firstByte, ...settings }: GatewayBackend,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  let failure: ErrorSummary | undefined;
  const provider = await checkPlan(report, settings, (error) => {
    failure = error;
  });
  try {
    const none = { detail: "not run" };
    await report.check("token", async () =>
      provider ? token(provider, { takenOver: () => failure }, signal) : none,
    );
    for (const model of models.length > 0 ? models : [undefined]) {
      await report.check("request", async () => {
        if (!provider) return none;
        if (model === undefined) return request(provider, { timeoutMs }, signal);
        const asked: FoundryProviderOptions = { ...settings, model, deployment: model };
        // With the token of the check before.
        using own = createFoundryProvider({ ...asked, tokens: provider.tokens });
        return await request(own, { timeoutMs }, signal);
      });
    }
  } finally {
    provider?.close();
  }
}
