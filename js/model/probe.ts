import {
  abortSignal,
  type Checks,
  endpoint as endpointCheck,
  number,
  readOptions,
  token as tokenCheck,
} from "../errors/check.js";
import { cleanText } from "../tokens/clean-token.js";
import { callPlan } from "../wasm/bindings.js";
import { send, toHeaders } from "../wasm/send.js";
import type { Diagnosis } from "../wasm/types/diagnosis.js";
import type { Endpoint, ModelOptions } from "../wasm/types/provider.js";
import type { AccessToken } from "../wasm/types/token.js";
import { modelChecks } from "./model-options.js";
import { definedOptions, endpointOptions } from "./request-options.js";
import { runDiagnosis } from "./run-diagnosis.js";

/** Options of {@link probe}. */
export interface ProbeOptions extends ModelOptions {
  /**
   * The endpoint of the resource or project, in any form that the portal shows, or parsed by
   * `parseEndpoint`.
   */
  endpoint: string | Endpoint;
  /**
   * The token to send, with or without `Bearer `. Without one, the diagnosis says which token the
   * resource expects.
   */
  token?: string | AccessToken | undefined;
  /** The model to call. Without a model and a deployment, the probe lists the models. */
  model?: string | undefined;
  /** The deadline for the whole response, in milliseconds. Default 15,000. */
  timeoutMs?: number | undefined;
  /** Aborts the request. */
  signal?: AbortSignal | undefined;
}

function probeChecks(): Checks<ProbeOptions> {
  return {
    ...modelChecks(),
    endpoint: endpointCheck,
    token: tokenCheck,
    timeoutMs: { ...number, code: "provider/limit" },
    signal: abortSignal,
  };
}

/**
 * Checks address, network, token, role and deployment: sends one small request to a Foundry or
 * Azure OpenAI endpoint, as the Copilot runtime would, and explains the first problem and its
 * fixes.
 *
 * With a model, the request is an inference of a few tokens; without one, it lists the models.
 * Needs `fetch`, but neither `@azure/identity` nor the Copilot SDK. Follows no redirects, so the
 * token goes to the given host only.
 *
 * @returns a diagnosis, whatever the network and the resource do; `code` is `ok` for a success
 * @throws KeylessError `endpoint/...`, `provider/...`, `token/empty`, `token/malformed` for invalid
 *   options; when the signal aborts, its reason
 * @example
 * ```ts
 * const { code, cause, fixes } = await probe({ endpoint: "https://myres.openai.azure.com", token, model: "gpt-5.5" });
 * if (code !== "ok") console.error(code, cause, fixes); // "missing-role", ...
 * ```
 */
export async function probe(options: ProbeOptions): Promise<Diagnosis> {
  const {
    token: rawToken,
    timeoutMs,
    signal,
    endpoint,
    ...rest
  } = readOptions(options, probeChecks(), "provider/conflict");
  const token = rawToken === undefined ? undefined : cleanText(rawToken);
  const request = { ...endpointOptions(endpoint), ...definedOptions(rest) };
  const call = callPlan((planner) => planner.planProbe(request, timeoutMs));
  const [status, body, ...headers] = await send(call, token, signal);
  const { endpoint: parsed, deployment, wireApi } = call;
  return runDiagnosis(
    { endpoint: parsed, deployment, wireApi, status, headers: toHeaders(headers), body, token },
    (explain, outcome) => explain.judgeProbe(outcome),
  );
}
