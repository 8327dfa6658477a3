import type { CopilotClient, CopilotClientOptions, SessionConfig } from "@github/copilot-sdk";
import { type Checks, flag, number, object, text } from "../errors/check.js";
import { type FoundryProviderOptions, foundryChecks } from "../foundry/options.js";

/** Options of {@link ManagedIdentityCopilotAgent}: those of `createFoundryProvider`, and the session's. */
export interface AgentOptions extends FoundryProviderOptions {
  /**
   * A started client of your own, which stays yours to stop; or options for the one that is made. The runtime of that one gets a short list
   * of this process's variables and what `env` adds; see docs/reference/environment.md.
   */
  client?: CopilotClient | CopilotClientOptions | undefined;
  /**
   * More of the session's config, such as `tools` and `onPermissionRequest`. By default every permission is denied, and each conversation
   * works in an empty folder of its own (`workingDirectory`), which is removed at its end.
   */
  session?:
    | Omit<Partial<SessionConfig>, "model" | "provider" | "providers" | "models" | "streaming">
    | undefined;
  /** Appended to the runtime's own system message. */
  systemMessage?: string | undefined;
  /** How long a turn may take, in milliseconds. Default 120,000. */
  timeoutMs?: number | undefined;
  /**
   * `reuse`, the default: `chat` and `stream` hold one conversation, turn after turn. `per-call`: each begins a conversation of its
   * own, which ends with it and is deleted, so that calls run side by side and know nothing of each other.
   */
  sessions?: "reuse" | "per-call" | undefined;
  /** With `per-call`: whether what was said stays on disk. Default false. */
  keepHistory?: boolean | undefined;
  /** The id of an earlier session that `chat` and `stream` go on with. Not with `per-call`. */
  resume?: string | undefined;
  /**
   * After how many sessions a runtime of the agent's own is replaced, since it keeps some memory of each. The next session then gets
   * a new runtime, and the old one ends with its last session. Default 200.
   */
  sessionsPerRuntime?: number | undefined;
  /**
   * After how many turns, of all its sessions, a runtime of the agent's own is replaced. A session then moves to the new one before
   * its next turn, with all that was said. Default 300.
   */
  turnsPerRuntime?: number | undefined;
}

/** The types of {@link AgentOptions}. */
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
