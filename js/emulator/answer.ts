import { KeylessError } from "../errors/keyless-error.js";
import { checkReply } from "./check-reply.js";
import { newId } from "./ids.js";
import type { Reply, ReplyFinish, ReplyFunction, ReplyRequest, ReplyUsage } from "./reply.js";

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
  readonly finish: ReplyFinish;
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly usage: Required<ReplyUsage>;
}

const CHARACTERS_PER_TOKEN = 4;

/** Calls the reply function. Throws a KeylessError `emulator/reply-failed` if it fails. */
export async function answer(
  reply: ReplyFunction,
  request: ReplyRequest,
  sizes: { createdAt: number; requestLength: number },
): Promise<Answer> {
  const result = await callReply(reply, request);
  const { text = "", toolCalls: calls = [], finish = "stop", usage } = result;
  const toolCalls = calls.map(({ name, arguments: given }) => ({
    id: newId("call_"),
    name,
    arguments: typeof given === "string" ? given : JSON.stringify(given ?? {}),
  }));
  return {
    model: request.model,
    text,
    toolCalls,
    finish,
    createdAt: sizes.createdAt,
    usage: {
      inputTokens: tokensOf(sizes.requestLength),
      outputTokens: tokensOf(text.length + JSON.stringify(toolCalls).length - 2),
      cachedTokens: 0,
      reasoningTokens: 0,
      ...usage,
    },
  };
}

/** Cuts an answer off after some words. */
export function shortened(whole: Answer, words: number): Answer {
  const text = pieces(whole.text).slice(0, words).join("");
  const usage = { ...whole.usage, outputTokens: tokensOf(text.length) };
  return { ...whole, text, toolCalls: [], finish: "length", usage };
}

/** Splits a text into words with their white space. */
export function pieces(text: string): string[] {
  return text.match(/\s*\S+\s?|\s+/g) ?? [];
}

/** Estimates the tokens of a text by its length. */
export function tokensOf(characters: number): number {
  return Math.max(1, Math.ceil(characters / CHARACTERS_PER_TOKEN));
}

async function callReply(reply: ReplyFunction, request: ReplyRequest): Promise<Reply> {
  let result: unknown;
  try {
    result = await reply(request);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new KeylessError("emulator/reply-failed", `The emulator's reply function threw: ${message}`, {
      cause,
    });
  }
  return checkReply(result, (problem) => {
    const hint = "Return a string or { text?, toolCalls?: [{ name, arguments? }], usage?, finish? }.";
    return new KeylessError(
      "emulator/reply-failed",
      `The emulator's reply function returned no reply: ${problem}`,
      { hint },
    );
  });
}
