// The types of the options that several functions share. The core and the functions themselves check what they hold. Each is a function, because
// bundlers keep what a module computes.

import type { AgentOptions } from "../copilot/agent.js";
import {
  type Check,
  type Checks,
  callback,
  clock,
  credential,
  either,
  flag,
  number,
  object,
  text,
} from "../errors/check.js";
import type { TokenProviderOptions } from "../types.js";
import type { ModelOptions } from "./plan.js";
import type { FoundryProviderOptions } from "./provider.js";

export function modelChecks(): Checks<ModelOptions> {
  return {
    model: text,
    deployment: text,
    type: choice("openai", "azure", "anthropic"),
    wireApi: choice("responses", "completions"),
    apiVersion: text,
    headers: object,
  };
}

export function foundryChecks(): Checks<FoundryProviderOptions> {
  return {
    ...modelChecks(),
    endpoint: text,
    credential: either(credential, { expected: '"direct"', fits: (value) => value === "direct" }),
    scope: text,
    maxPromptTokens: number,
    maxOutputTokens: number,
    env: object,
    tokens: either(callback, object),
  };
}

export function agentChecks(): Checks<AgentOptions> {
  return {
    ...foundryChecks(),
    client: object,
    session: object,
    systemMessage: text,
    timeoutMs: number,
    sessions: text,
    keepHistory: flag,
    resume: text,
    sessionsPerRuntime: number,
    turnsPerRuntime: number,
  };
}

export function tokenChecks(): Checks<TokenProviderOptions> {
  return { policy: object, clock, onEvent: callback, keepFresh: flag, tenantId: text, enableCae: flag };
}

/** A text; which of these it is, the core checks. */
function choice(...texts: string[]): Check {
  return { ...text, expected: `one of ${texts.map((one) => `"${one}"`).join(", ")}` };
}
