import { isObject, type Json } from "./json.js";
import type { Reply } from "./reply.js";

const FIELDS = ["text", "toolCalls", "usage", "finish"];
const USAGE = ["inputTokens", "outputTokens", "cachedTokens", "reasoningTokens"];
const FINISHES = ["stop", "length", "content-filter"];

/**
 * Checks a reply, and turns a string into one.
 *
 * @param failure makes the error to throw of a sentence about the problem
 */
export function checkReply(value: unknown, failure: (problem: string) => Error): Reply {
  if (typeof value === "string") return { text: value };
  const problem = problemOf(value);
  if (problem !== undefined) throw failure(problem);
  return value as Reply;
}

function problemOf(value: unknown): string | undefined {
  if (!isObject(value)) return "it must be a string or an object.";
  const unknown = unknownField(value, FIELDS);
  if (unknown !== undefined) return `it has no field \`${unknown}\`; it has ${FIELDS.join(", ")}.`;
  const { text, toolCalls, usage, finish } = value;
  if (text === undefined && toolCalls === undefined) return "`text` or `toolCalls` is missing.";
  if (text !== undefined && typeof text !== "string") return "`text` must be a string.";
  if (finish !== undefined && !FINISHES.includes(finish as string)) {
    return `\`finish\` must be one of ${FINISHES.join(", ")}.`;
  }
  if (toolCalls !== undefined && !Array.isArray(toolCalls)) return "`toolCalls` must be an array.";
  return toolCalls?.map(callProblem).find((found: unknown) => found !== undefined) ?? usageProblem(usage);
}

function callProblem(call: unknown): string | undefined {
  if (!isObject(call) || typeof call.name !== "string" || call.name === "") {
    return "each of `toolCalls` must have a `name`.";
  }
  const unknown = unknownField(call, ["name", "arguments"]);
  if (unknown !== undefined) return `a tool call has no field \`${unknown}\`; it has name, arguments.`;
  try {
    if (JSON.stringify(call.arguments ?? {}) !== undefined) return undefined;
  } catch {
    // A bigint or a circle.
  }
  return `the \`arguments\` of the tool call ${call.name} cannot be written as JSON: a bigint, a function or a circle.`;
}

function usageProblem(usage: unknown): string | undefined {
  if (usage === undefined) return undefined;
  if (!isObject(usage)) return "`usage` must be an object.";
  const unknown = unknownField(usage, USAGE);
  if (unknown !== undefined) return `\`usage\` has no field \`${unknown}\`; it has ${USAGE.join(", ")}.`;
  const bad = Object.keys(usage).find(
    (name) =>
      usage[name] !== undefined && !(Number.isSafeInteger(usage[name]) && (usage[name] as number) >= 0),
  );
  return bad && `\`usage.${bad}\` must be a whole number from 0 on.`;
}

/** Returns the name of a field that is set and not known. */
export function unknownField(value: Json, known: readonly string[]): string | undefined {
  return Object.keys(value).find((name) => value[name] !== undefined && !known.includes(name));
}
