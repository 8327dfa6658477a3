import type { SessionConfig, Tool } from "@github/copilot-sdk";
import type { Check } from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { wellFormedDeep } from "../platform/well-formed.js";

/**
 * What a session starts from. `chat`: no built-in tools, and a system message of the program's own.
 * `coding`: the Copilot runtime's tools and its system message for coding agents.
 */
export type AgentPreset = "chat" | "coding";

/** A system message: added to that of the preset, or in place of it. */
export interface SystemMessage {
  mode: "append" | "replace";
  content: string;
}

/** The session options of an agent or of a conversation. */
export interface SessionParts {
  preset: AgentPreset;
  systemMessage: string | SystemMessage | undefined;
  session: Partial<SessionConfig> | undefined;
}

/** The system message of a chat whose program gives none. Some model APIs refuse an empty one. */
const CHAT_MESSAGE = "You are a helpful assistant.";

export const PRESET: Check = {
  expected: '"chat" or "coding"',
  fits: (value) => value === "chat" || value === "coding",
};

export const SYSTEM_MESSAGE: Check = {
  expected: 'a string or { mode: "append" | "replace", content: string }',
  fits: (value) => {
    if (typeof value === "string") return true;
    const { mode, content, ...others } = value as SystemMessage;
    const isMode = mode === "append" || mode === "replace";
    return isMode && typeof content === "string" && Object.keys(others).length === 0;
  },
};

/** The system message of a session's config: the runtime ignores a wrong one in silence. */
export const SDK_SYSTEM_MESSAGE: Check = {
  expected: "a SystemMessageConfig of the Copilot SDK, an object with mode and content",
  fits: (value) => {
    const { mode = "append", content } = value as { mode?: string; content?: unknown };
    const isContent = typeof content === "string" || (content === undefined && mode !== "replace");
    return /^(append|replace|customize)$/.test(mode) && typeof value === "object" && isContent;
  },
};

export const TOOLS: Check = {
  expected: "a list of tools, whose names are of letters, digits, _ and -",
  fits: (value) =>
    Array.isArray(value) &&
    value.every(({ name }: Tool) => typeof name === "string" && /^[\w-]+$/.test(name)),
};

/**
 * The config of a session, with text that the runtime can read. What `session` sets wins over the
 * preset.
 */
export function sessionConfig({ preset, systemMessage, session }: SessionParts): Partial<SessionConfig> {
  try {
    const set = Object.entries(session ?? {}).filter(([, value]) => value !== undefined);
    const given: Partial<SessionConfig> = wellFormedDeep(Object.fromEntries(set));
    return {
      ...(preset === "chat" ? { availableTools: chatTools(given) } : {}),
      ...messageOf(preset, wellFormedDeep(systemMessage)),
      ...given,
      ...(given.tools ? { tools: given.tools.map((tool) => permitted(tool, preset)) } : {}),
    };
  } catch {
    throw new KeylessError("agent/invalid-option", "session cannot be read: a getter of it throws", {
      hint: "Pass an object of plain values and functions.",
    });
  }
}

/** The program's own tools, and those of its MCP servers, as a list for `availableTools`. */
export function chatTools({ tools = [], mcpServers = {} }: Partial<SessionConfig> = {}): string[] {
  const own = tools.map(({ name }) => `custom:${name}`);
  return Object.keys(mcpServers).length > 0 ? [...own, "mcp:*"] : own;
}

function messageOf(preset: AgentPreset, given: SessionParts["systemMessage"]): Partial<SessionConfig> {
  const message: SystemMessage | undefined =
    typeof given === "string" ? { mode: "append", content: given } : given;
  // A chat's own message is only there for a program that gives none: nothing to append to.
  if (preset === "chat") {
    return { systemMessage: { mode: "replace", content: message?.content ?? CHAT_MESSAGE } };
  }
  return message ? { systemMessage: message } : {};
}

/**
 * A tool of the program's own, which runs without a permission unless the program wants to be asked
 * for it. The runtime knows whose a tool is: no built-in or MCP tool of the same name is permitted
 * by this. In a chat, which has no built-in tools, their names are free.
 */
function permitted(tool: Tool, preset: AgentPreset): Tool {
  const { skipPermission = true, overridesBuiltInTool = preset === "chat" || undefined } = tool;
  // Inherits: a tool may be an instance of a class.
  return Object.create(tool, {
    skipPermission: { value: skipPermission },
    overridesBuiltInTool: { value: overridesBuiltInTool },
  }) as Tool;
}
