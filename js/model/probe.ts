import {
  abortSignal,
  type Checks,
  endpoint as endpointCheck,
  number,
  readOptions,
  token as tokenCheck,
} from "../errors/check.js";
import { cleanText } from "../tokens/text.js";
import { callCore, planModule } from "../wasm/bindings.js";
import type { Diagnosis } from "../wasm/diagnosis.js";
import type { Endpoint, ModelOptions } from "../wasm/provider.js";
import type { AccessToken } from "../wasm/token.js";
import { diagnosed } from "./diagnosed.js";
import { modelChecks } from "./model-options.js";
import { address, defined } from "./probe-call.js";
import { paired, send } from "./send.js";

/** Options of {@link probe}. */
export interface ProbeOptions extends ModelOptions {
  /** The resource's or project's endpoint, in any form found in the portal, or what `parseEndpoint` made of it. */
  endpoint: string | Endpoint;
  /** The token to send, with or without `Bearer `. Without one the resource says what it asks for. */
  token?: string | AccessToken | undefined;
  /** The model to ask. Without model and deployment the models are listed. */
  model?: string | undefined;
  /** How long the whole answer may take, in milliseconds. Default 15,000. */
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
 * Sends one small request to a Foundry or Azure OpenAI endpoint, the way the Copilot runtime would, and says what came of it:
 * whether address, network, token, role and deployment are right, and what to do about the first that is not.
 *
 * With a model it is an inference of a few tokens, without one a list of models. Needs neither `@azure/identity` nor the
 * Copilot SDK, but a platform with `fetch`. Redirects are not followed, so the token goes to the given host only.
 *
 * @returns a diagnosis whatever the network and the resource do; `code` is `ok` if the request was served
 * @throws KeylessError `endpoint/...`, `provider/...`, `token/empty`, `token/malformed` for options that cannot be used;
 * the signal's reason when it aborts
 * @example
 * ```ts
 * const { code, cause, fixes } = await probe({ endpoint: "https://myres.openai.azure.com", token, model: "gpt-5.5" });
 * if (code !== "ok") console.error(code, cause, fixes); // "missing-role", ...
 * ```
 */
export async function probe(options: ProbeOptions): Promise<Diagnosis> {
  const {
    token: given,
    timeoutMs,
    signal,
    endpoint,
    ...rest
  } = readOptions(options, probeChecks(), "provider/conflict");
  const token = given === undefined ? undefined : cleanText(given);
  const request = { ...address(endpoint), ...defined(rest) };
  const call = callCore(() => planModule().planProbe(request, timeoutMs));
  const [status, body, ...headers] = await send(call, token, signal);
  const { endpoint: place, deployment, wireApi } = call;
  return diagnosed(
    { endpoint: place, deployment, wireApi, status, headers: paired(headers), body, token },
    (plan, outcome) => plan.judgeProbe(outcome),
  );
}
