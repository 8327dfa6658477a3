import type { SessionEvent } from "@github/copilot-sdk";

/** What a turn used: the sum of all its requests to a model, also those of sub-agents. */
export interface TurnUsage {
  /** How many requests were answered. */
  requests: number;
  /** Input tokens, cached ones included. */
  inputTokens: number;
  outputTokens: number;
  /** The part of `inputTokens` that the model read from its cache. */
  cachedInputTokens: number;
  /** The part of `outputTokens` that went into reasoning. */
  reasoningTokens: number;
}

/** The reply of a turn. */
export interface TurnReply {
  /** The last message of the turn; empty if a tool with `isTerminal` ended it before one. */
  text: string;
  /**
   * The model that answered, by the name in its requests: that of the deployment. Undefined if the
   * runtime reports none.
   */
  model: string | undefined;
  usage: TurnUsage;
}

/** Adds up the `assistant.usage` events of a turn. */
export class UsageCounter {
  model: string | undefined;
  readonly usage: TurnUsage = {
    requests: 0,
    inputTokens: 0,
    outputTokens: 0,
    cachedInputTokens: 0,
    reasoningTokens: 0,
  };

  add({ data, agentId }: Extract<SessionEvent, { type: "assistant.usage" }>): void {
    const { usage } = this;
    usage.requests += 1;
    usage.inputTokens += data.inputTokens ?? 0;
    usage.outputTokens += data.outputTokens ?? 0;
    usage.cachedInputTokens += data.cacheReadTokens ?? 0;
    usage.reasoningTokens += data.reasoningTokens ?? 0;
    // The caller gets the reply of the main agent.
    if (agentId === undefined) this.model = data.model;
  }
}
