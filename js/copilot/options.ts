import type { CopilotClient, CopilotClientOptions, SessionConfig } from "@github/copilot-sdk";
import {
  type Checks,
  checkOptional,
  flag,
  number,
  object,
  readKnownOptions,
  readOptions,
  text,
} from "../errors/check.js";
import type { ErrorCode } from "../errors/codes.js";
import { KeylessError } from "../errors/keyless-error.js";
import { type FoundryProviderOptions, foundryChecks } from "../foundry/options.js";
import { LONGEST_TIMER_MS } from "../platform/clock.js";
import {
  type AgentPreset,
  PRESET,
  SDK_SYSTEM_MESSAGE,
  SYSTEM_MESSAGE,
  type SystemMessage,
  TOOLS,
} from "./session-config.js";
import { refuseUnknownFields } from "./session-fields.js";

/** Options of {@link FoundryAgent}: those of `createFoundryProvider`, and those of its sessions. */
export interface AgentOptions extends FoundryProviderOptions {
  /**
   * A started client, which you stop yourself; or options for the client that the agent starts. The
   * agent's own runtime receives a short list of this process's variables and those in `env`; see
   * docs/reference/environment.md.
   */
  client?: CopilotClient | CopilotClientOptions | undefined;
  /**
   * What every session starts from. `"chat"`: no built-in tools, and a system message of your own
   * (`systemMessage`, else one line), so that a turn costs little. `"coding"`: the Copilot runtime's
   * tools and its system message for coding agents. What `session` sets wins. Default `"coding"`;
   * `"chat"` in the handler for Azure Functions.
   */
  preset?: AgentPreset | undefined;
  /**
   * The rest of every session's config, such as `tools` and `onPermissionRequest`. The tools in
   * `tools` run without a permission, unless they set `skipPermission: false`. All others, built-in
   * tools and those of MCP servers, are up to `onPermissionRequest`; without it they are denied.
   * Each conversation works in an empty folder of its own (`workingDirectory`), which is removed
   * when the conversation ends.
   */
  session?:
    | Omit<Partial<SessionConfig>, "model" | "provider" | "providers" | "models" | "streaming">
    | undefined;
  /**
   * The system message. A string is appended to that of the preset: with `"coding"` the runtime's,
   * with `"chat"` none, so that it is the whole message. `{ mode: "replace", content }` leaves
   * nothing of the runtime's message, its safety rules included. For the SDK's mode `customize` use
   * `session.systemMessage` instead.
   */
  systemMessage?: string | SystemMessage | undefined;
  /** How long a turn may take, in milliseconds. Default 120,000. */
  timeoutMs?: number | undefined;
  /**
   * How long the resource may send nothing of a reply, in milliseconds; then the turn fails with
   * `model/first-byte-timeout`. Default 60,000; 90,000 for a reasoning model, up to 600,000 by its
   * effort.
   */
  firstByteTimeoutMs?: number | undefined;
  /**
   * Whether every `chat` and `stream` starts a conversation of its own, which ends with the call.
   * Calls then run side by side and share no history. Default false: `chat` and `stream` continue
   * one conversation.
   */
  stateless?: boolean | undefined;
  /**
   * Whether the history of a conversation is deleted from disk when it ends. Default: true for the
   * calls of a `stateless` agent, else false. `Conversation.close({ deleteHistory })` decides for
   * one conversation.
   */
  deleteHistory?: boolean | undefined;
  /** The id of an earlier session that `chat` and `stream` continue. Not with `stateless`. */
  resume?: string | undefined;
  /**
   * After how many sessions the agent replaces its own runtime, which keeps some memory of each.
   * The next session starts on a new runtime; the old one stops with its last session. Default 200.
   */
  sessionsPerRuntime?: number | undefined;
  /**
   * After how many turns, of all sessions, the agent replaces its own runtime. A session moves to
   * the new runtime before its next turn and keeps its history. Default 300.
   */
  turnsPerRuntime?: number | undefined;
  /**
   * After how many milliseconds without a turn a conversation ends by itself, as by `close()`: its
   * session leaves the runtime and its working directory is removed. The next turn resumes it from
   * its history; with `deleteHistory` it rejects with `agent/closed`. Default: never.
   */
  idleMs?: number | undefined;
  /**
   * How many conversations stay open. Above that, the idle one that was used least recently ends, as
   * with `idleMs`. A running turn is never ended, so more may be open while all have one. Calls of a
   * `stateless` agent do not count. Default: no limit.
   */
  maxConversations?: number | undefined;
  /** @deprecated Use `stateless: true` for `"per-call"`, and nothing for `"reuse"`. */
  sessions?: "reuse" | "per-call" | undefined;
  /** @deprecated Use `deleteHistory: false` for `true`. */
  keepHistory?: boolean | undefined;
}

/**
 * The names of {@link AgentOptions} that describe a conversation. Handlers that keep conversations
 * set these themselves.
 */
export type ConversationOptionName =
  | "stateless"
  | "deleteHistory"
  | "resume"
  | "idleMs"
  | "maxConversations"
  | "sessions"
  | "keepHistory";

/** Agent options with defaults filled in and deprecated names translated. */
export interface ReadAgentOptions extends Omit<AgentOptions, "sessions" | "keepHistory"> {
  preset: AgentPreset;
  timeoutMs: number;
  stateless: boolean;
  sessionsPerRuntime: number;
  turnsPerRuntime: number;
}

/** Fields of a session's config that are the agent's, and what to use instead. */
const SET_BY_AGENT = {
  model: "Use the option model, of the agent or of a conversation.",
  provider: "Use the options of createFoundryProvider, or conversation({ provider }).",
  providers: "Use conversation({ provider }), or createFoundryProviders with a client of your own.",
  models: "Use conversation({ provider }), or createFoundryProviders with a client of your own.",
  streaming: "Leave it out. chat() resolves with the whole reply, stream() yields its pieces.",
  cloud: "Leave it out: a session in GitHub's cloud cannot use this provider.",
};

const CODE = "agent/invalid-option";
const TIMEOUT_MS = 120_000;
const SESSIONS_PER_RUNTIME = 200;
const TURNS_PER_RUNTIME = 300;

/**
 * Reads the options of an agent once, checks them, and fills in the defaults.
 *
 * @throws KeylessError `agent/invalid-option`
 */
export function readAgentOptions(given: AgentOptions): ReadAgentOptions {
  const { sessions, keepHistory, ...options } = readOptions(given, agentChecks(), CODE);
  check(
    sessions === undefined || sessions === "reuse" || sessions === "per-call",
    'sessions must be "reuse" or "per-call"',
  );
  refuseBoth(options, "stateless", "sessions", sessions);
  refuseBoth(options, "deleteHistory", "keepHistory", keepHistory);
  check(
    options.systemMessage === undefined || options.session?.systemMessage === undefined,
    "systemMessage and session.systemMessage exclude each other",
  );
  checkSession(options.session, CODE);
  const {
    preset = "coding",
    timeoutMs = TIMEOUT_MS,
    stateless = sessions === "per-call",
    deleteHistory = keepHistory ? false : undefined,
    sessionsPerRuntime = SESSIONS_PER_RUNTIME,
    turnsPerRuntime = TURNS_PER_RUNTIME,
  } = options;
  checkTimeout(timeoutMs);
  if (options.firstByteTimeoutMs !== undefined)
    checkTimeout(options.firstByteTimeoutMs, "firstByteTimeoutMs");
  check(
    !stateless || options.resume === undefined,
    'resume does not go with stateless (sessions: "per-call")',
  );
  const { idleMs = 1, maxConversations = 1 } = options;
  for (const [name, count] of Object.entries({ sessionsPerRuntime, turnsPerRuntime, maxConversations })) {
    check(Number.isSafeInteger(count) && count > 0, `${name} must be a positive whole number`);
  }
  check(
    idleMs > 0 && idleMs <= LONGEST_TIMER_MS,
    "idleMs must be a positive number of milliseconds, below 2^31",
  );
  return { ...options, preset, timeoutMs, stateless, deleteHistory, sessionsPerRuntime, turnsPerRuntime };
}

/** The options for the provider among those of an agent. */
export function providerOptions(options: FoundryProviderOptions): FoundryProviderOptions {
  return readKnownOptions(options, foundryChecks(), CODE);
}

/** The types of {@link AgentOptions}. */
export function agentChecks(): Checks<AgentOptions> {
  return {
    ...foundryChecks(),
    client: object,
    session: object,
    preset: PRESET,
    systemMessage: SYSTEM_MESSAGE,
    timeoutMs: number,
    firstByteTimeoutMs: number,
    stateless: flag,
    deleteHistory: flag,
    resume: text,
    sessionsPerRuntime: number,
    turnsPerRuntime: number,
    idleMs: number,
    maxConversations: number,
    sessions: { ...text, deprecated: true },
    keepHistory: { ...flag, deprecated: true },
  };
}

/**
 * Refuses what the runtime would ignore in silence, or refuse only in the first turn.
 *
 * @throws KeylessError with this code
 */
export function checkSession(session: AgentOptions["session"], code: ErrorCode): void {
  for (const [name, instead] of Object.entries(SET_BY_AGENT)) {
    if ((session as Record<string, unknown> | undefined)?.[name] === undefined) continue;
    throw new KeylessError(code, `session.${name} cannot be set: the agent sets it`, { hint: instead });
  }
  if (session) refuseUnknownFields(session, code);
  checkOptional("session.systemMessage", session?.systemMessage, SDK_SYSTEM_MESSAGE, code);
  checkOptional("session.tools", session?.tools, TOOLS, code);
}

/** @throws KeylessError `agent/invalid-option` unless a timer can wait this long */
export function checkTimeout(ms: number, name = "timeoutMs"): void {
  if (Number.isFinite(ms) && ms > 0 && ms < 2 ** 31) return;
  throw new KeylessError(
    "agent/invalid-option",
    `${name} must be a positive number of milliseconds, below 2^31`,
    { hint: `Leave it out to get the default${name === "timeoutMs" ? " of 120,000" : ""}.` },
  );
}

/** @throws KeylessError `agent/invalid-option` with this sentence, unless the condition holds */
export function check(holds: boolean, sentence: string): void {
  if (!holds) {
    throw new KeylessError("agent/invalid-option", sentence, { hint: "See the options of FoundryAgent." });
  }
}

/** Refuses an option that is given together with its deprecated name. */
export function refuseBoth<Name extends string>(
  given: { [Key in Name]?: unknown },
  name: Name,
  deprecated: string,
  value: unknown,
): void {
  check(
    given[name] === undefined || value === undefined,
    `${name} and ${deprecated} exclude each other: ${deprecated} is the deprecated name`,
  );
}
