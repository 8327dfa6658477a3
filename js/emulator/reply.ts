import { KeylessError } from "../errors/keyless-error.js";
import { newId } from "./ids.js";
import { isObject } from "./json.js";

/**
 * A message of the conversation, in one form for all three APIs. Text only: images and files are
 * omitted.
 */
export interface ReplyMessage {
  /** `system` also stands for developer messages and instructions. */
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly text: string;
  /** The tool calls of an assistant message. */
  readonly toolCalls?: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  /** The call that a tool message answers. */
  readonly toolCallId?: string;
}

/** A tool that the caller offers. */
export interface ReplyTool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema. */
  readonly parameters?: unknown;
}

/** A request to the emulated model. */
export interface ReplyRequest {
  readonly route: "responses" | "chat-completions" | "messages";
  /** The deployment. */
  readonly model: string;
  /**
   * The last user message, without the `<tag>...</tag>` blocks that the Copilot runtime adds before
   * it.
   */
  readonly prompt: string;
  /** The number of the model's answers in the conversation so far: 0 for its first request. */
  readonly turn: number;
  readonly messages: readonly ReplyMessage[];
  /** The tool messages since the last user message. Empty unless tools have just run. */
  readonly toolResults: readonly ReplyMessage[];
  readonly tools: readonly ReplyTool[];
  /** The headers in lower case, without those that hold a credential. */
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: boolean;
}

/** An answer of the emulated model: text, tool calls, or both. */
export interface Reply {
  readonly text?: string;
  /** `arguments` is an object, or a JSON string, which is sent as it is. */
  readonly toolCalls?: readonly { readonly name: string; readonly arguments?: unknown }[];
}

/** Scripts the emulated model. */
export type ReplyFunction = (request: ReplyRequest) => string | Reply | Promise<string | Reply>;

/** A tool call of an {@link Answer}. */
export interface AnsweredCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** A reply with all data that the wire formats need. */
export interface Answer {
  readonly model: string;
  readonly text: string;
  readonly toolCalls: readonly AnsweredCall[];
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** The part of a request that the three APIs share. */
export interface Conversation {
  readonly messages: readonly ReplyMessage[];
  readonly tools: readonly ReplyTool[];
}

const CHARACTERS_PER_TOKEN = 4;
const MAX_QUOTE_LENGTH = 200;

/** Quotes the prompt. */
export function defaultReply({ prompt }: ReplyRequest): string {
  const line = prompt.replace(/\s+/g, " ").trim();
  const quote = line.length > MAX_QUOTE_LENGTH ? `${line.slice(0, MAX_QUOTE_LENGTH)}...` : line;
  return `You said: "${quote}". I am the copilot-keyless emulator; this reply came over a keyless request.`;
}

/** Finds the prompt and the tool results of a conversation, and counts its turns. */
export function promptOf({ messages, tools }: Conversation) {
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

/** Calls the reply function. Throws a KeylessError `emulator/reply-failed` if it fails. */
export async function answer(
  reply: ReplyFunction,
  request: ReplyRequest,
  sizes: { createdAt: number; requestLength: number },
): Promise<Answer> {
  const result = await callReply(reply, request);
  const text = typeof result === "string" ? result : (result.text ?? "");
  const calls = typeof result === "string" ? [] : (result.toolCalls ?? []);
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

/** Splits a text into words with their white space. */
export function pieces(text: string): string[] {
  return text.match(/\s*\S+\s?|\s+/g) ?? [];
}

async function callReply(reply: ReplyFunction, request: ReplyRequest): Promise<string | Reply> {
  let result: unknown;
  try {
    result = await reply(request);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new KeylessError("emulator/reply-failed", `The emulator's reply function threw: ${message}`, {
      cause,
    });
  }
  if (!isReply(result)) {
    throw new KeylessError(
      "emulator/reply-failed",
      "The emulator's reply function must return a string or { text?, toolCalls?: [{ name, arguments }] }.",
    );
  }
  return result;
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

/** Removes leading `<tag>...</tag>` blocks, unless nothing would remain. */
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
