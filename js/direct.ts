import {
  abortSignal,
  type Checks,
  endpoint as endpointCheck,
  number,
  readOptions,
  token as tokenCheck,
} from "./errors/check.js";
import { modelChecks } from "./foundry/option-checks.js";
import type { ModelOptions } from "./foundry/plan.js";
import { diagnosed } from "./model/diagnosed.js";
import { address, defined } from "./model/probe-call.js";
import { paired, send } from "./model/send.js";
import { cleanText } from "./tokens/text.js";
import type { AccessToken, Diagnosis, Endpoint } from "./types.js";
import { decide, planner } from "./wasm/bindings.js";

export { createDirectCredential, type DirectCredentialOptions } from "./credentials/direct.js";
export type { TokenSource } from "./credentials/request.js";
export { KeylessError } from "./errors/keyless-error.js";
export { type StreamChatOptions, streamChat } from "./model/stream-chat.js";
export type { AccessToken, Diagnosis, Endpoint, Notice } from "./types.js";

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
  const call = decide(() => planner().planProbe(request, timeoutMs));
  const [status, body, ...headers] = await send(call, token, signal);
  const { endpoint: place, deployment, wireApi } = call;
  return diagnosed(
    { endpoint: place, deployment, wireApi, status, headers: paired(headers), body, token },
    (plan, outcome) => plan.judgeProbe(outcome),
  );
}
