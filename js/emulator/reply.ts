import { KeylessError } from "../errors/keyless-error.js";
import { newId } from "./ids.js";
import { isObject } from "./json.js";

/** A message of the conversation so far, in one form for all three APIs. Text only: images and files are left out. */
export interface ReplyMessage {
  /** `system` also stands for developer messages and instructions. */
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly text: string;
  /** Of an assistant message. */
  readonly toolCalls?: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  /** Of a tool message: the call it answers. */
  readonly toolCallId?: string;
}

/** A tool that the caller offers. */
export interface ReplyTool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema. */
  readonly parameters?: unknown;
}

/** What the emulated model is asked. */
export interface ReplyRequest {
  readonly route: "responses" | "chat-completions" | "messages";
  /** The deployment. */
  readonly model: string;
  /** The last user message, without the `<tag>...</tag>` blocks that the Copilot runtime puts before it. */
  readonly prompt: string;
  /** How many answers of the model the conversation already holds: 0 for its first request. */
  readonly turn: number;
  readonly messages: readonly ReplyMessage[];
  /** Tool messages since the last user message: empty unless a tool call has just been answered. */
  readonly toolResults: readonly ReplyMessage[];
  readonly tools: readonly ReplyTool[];
  /** In lower case, without those that hold a credential. */
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: boolean;
}

/** What the emulated model answers: text, tool calls, or both. */
export interface Reply {
  readonly text?: string;
  /** `arguments` is an object, or JSON as a string, which is sent as it is. */
  readonly toolCalls?: readonly { readonly name: string; readonly arguments?: unknown }[];
}

/** Scripts the emulated model. */
export type ReplyFunction = (request: ReplyRequest) => string | Reply | Promise<string | Reply>;

/** A tool call on its way out. */
export interface AnsweredCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** A reply with everything that the wire formats need. */
export interface Answer {
  readonly model: string;
  readonly text: string;
  readonly toolCalls: readonly AnsweredCall[];
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What the three APIs have in common, once read. */
export interface Conversation {
  readonly messages: readonly ReplyMessage[];
  readonly tools: readonly ReplyTool[];
}

const CHARACTERS_PER_TOKEN = 4;
const LONGEST_QUOTE = 200;

/** Says what was asked, the same every time. */
export function defaultReply({ prompt }: ReplyRequest): string {
  const line = prompt.replace(/\s+/g, " ").trim();
  const quote = line.length > LONGEST_QUOTE ? `${line.slice(0, LONGEST_QUOTE)}...` : line;
  return `You said: "${quote}". I am the copilot-keyless emulator; this reply came over a keyless request.`;
}

/** Finds the prompt and counts the turns. */
export function describe({ messages, tools }: Conversation) {
  const lastUser = messages.findLastIndex((message) => message.role === "user");
  return {
    messages,
    tools,
    prompt: withoutContext(messages[lastUser]?.text ?? ""),
    turn: messages.filter(
      (message, i) => message.role === "assistant" && messages[i - 1]?.role !== "assistant",
    ).length,
    toolResults: messages.slice(lastUser + 1).filter((message) => message.role === "tool"),
  };
}

/** Asks the reply function; whatever is wrong with it becomes a KeylessError `emulator/reply-failed`. */
export async function answer(
  reply: ReplyFunction,
  request: ReplyRequest,
  sizes: { createdAt: number; requestLength: number },
): Promise<Answer> {
  const given = await ask(reply, request);
  const text = typeof given === "string" ? given : (given.text ?? "");
  const calls = typeof given === "string" ? [] : (given.toolCalls ?? []);
  const toolCalls = calls.map((call) => ({
    id: newId("call_"),
    name: call.name,
    arguments: typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments ?? {}),
  }));
  return {
    model: request.model,
    text,
    toolCalls,
    createdAt: sizes.createdAt,
    inputTokens: tokensOf(sizes.requestLength),
    outputTokens: tokensOf(text.length + JSON.stringify(toolCalls).length - 2),
  };
}

/** Word-sized pieces that add up to the text. */
export function pieces(text: string): string[] {
  return text.match(/\s*\S+\s?|\s+/g) ?? [];
}

async function ask(reply: ReplyFunction, request: ReplyRequest): Promise<string | Reply> {
  let given: unknown;
  try {
    given = await reply(request);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new KeylessError("emulator/reply-failed", `The emulator's reply function threw: ${message}`, {
      cause,
    });
  }
  if (!isReply(given)) {
    throw new KeylessError(
      "emulator/reply-failed",
      "The emulator's reply function must return a string or { text?, toolCalls?: [{ name, arguments }] }.",
    );
  }
  return given;
}

function isReply(value: unknown): value is string | Reply {
  if (typeof value === "string") return true;
  if (!isObject(value)) return false;
  const { text, toolCalls } = value;
  if (text !== undefined && typeof text !== "string") return false;
  if (toolCalls === undefined) return text !== undefined;
  return (
    Array.isArray(toolCalls) && toolCalls.every((call) => isObject(call) && typeof call.name === "string")
  );
}

/** Takes leading `<tag>...</tag>` blocks off, unless nothing would be left. */
function withoutContext(text: string): string {
  let rest = text.trim();
  for (;;) {
    const tag = /^<([a-z][\w-]*)[^<>]*>/i.exec(rest)?.[1];
    const end = tag === undefined ? -1 : rest.indexOf(`</${tag}>`);
    if (tag === undefined || end < 0) return rest;
    const after = rest.slice(end + tag.length + 3).trim();
    if (after === "") return rest;
    rest = after;
  }
}

function tokensOf(characters: number): number {
  return Math.max(1, Math.ceil(characters / CHARACTERS_PER_TOKEN));
}
