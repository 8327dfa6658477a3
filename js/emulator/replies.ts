import { KeylessError } from "../errors/keyless-error.js";
import { checkReply, unknownField } from "./check-reply.js";
import { isObject } from "./json.js";
import type { Reply, ReplyFunction, ReplyRequest } from "./reply.js";

/** A reply that is scripted in advance, and the requests that it is for. */
export interface ScriptedReply extends Reply {
  /** The requests that it answers; all that is given must hold. Default: every request. */
  readonly when?: {
    /** A part of the last user message. */
    readonly prompt?: string;
    readonly deployment?: string;
    /** Whether tools have just run. */
    readonly toolResults?: boolean;
  };
  /** The number of requests that it answers; `Infinity` or `"always"` for all. Default 1. */
  readonly times?: number | "always";
}

/**
 * Replies that are scripted in advance. The first one added that fits and is not used up answers,
 * before the option `reply`.
 *
 * @example
 * ```ts
 * emulator.replies.add({ toolCalls: [{ name: "weather", arguments: { city: "Graz" } }] });
 * emulator.replies.add({ text: "Sunny.", when: { toolResults: true } });
 * ```
 */
export interface Replies {
  /** Throws a KeylessError `emulator/invalid-reply` when the reply makes no sense. */
  add(reply: string | ScriptedReply): void;
  /** Removes all of them. */
  clear(): void;
}

interface Entry {
  readonly reply: Reply;
  readonly when: NonNullable<ScriptedReply["when"]>;
  left: number;
}

const WHEN = ["prompt", "deployment", "toolResults"];

/** The remaining replies, in the order in which they were added. */
export class ReplyQueue implements Replies {
  #entries: Entry[] = [];

  add(given: string | ScriptedReply): void {
    let entry: Entry;
    try {
      entry = read(given);
    } catch (error) {
      throw error instanceof KeylessError ? error : invalid("it cannot be read.");
    }
    this.#entries.push(entry);
  }

  clear(): void {
    this.#entries = [];
  }

  /** Returns a reply function that takes the scripted replies first. */
  before(reply: ReplyFunction): ReplyFunction {
    return (request) => this.#take(request) ?? reply(request);
  }

  #take(request: ReplyRequest): Reply | undefined {
    const entry = this.#entries.find(({ when }) => fits(when, request));
    if (!entry) return undefined;
    entry.left -= 1;
    if (entry.left <= 0) this.#entries = this.#entries.filter((other) => other !== entry);
    return entry.reply;
  }
}

/** Checks a reply and copies it, so that later changes of the original have no effect. */
function read(given: string | ScriptedReply): Entry {
  const { times = 1, when = {}, ...rest } = typeof given === "string" ? { text: given } : { ...given };
  const reply = checkReply(rest, invalid);
  need(
    times === "always" ||
      times === Number.POSITIVE_INFINITY ||
      (Number.isSafeInteger(times) && (times as number) >= 1),
    '`times` must be a whole number from 1 on, Infinity or "always".',
  );
  need(isObject(when), "`when` must be an object.");
  const unknown = unknownField(when, WHEN);
  need(unknown === undefined, `\`when\` has no field \`${unknown}\`; it has ${WHEN.join(", ")}.`);
  for (const name of ["prompt", "deployment"] as const) {
    need(when[name] === undefined || typeof when[name] === "string", `\`when.${name}\` must be a string.`);
  }
  need(
    when.toolResults === undefined || typeof when.toolResults === "boolean",
    "`when.toolResults` must be true or false.",
  );
  const left = times === "always" ? Number.POSITIVE_INFINITY : times;
  return { reply: structuredClone(reply), when: { ...when }, left };
}

function fits({ prompt, deployment, toolResults }: Entry["when"], request: ReplyRequest): boolean {
  return (
    (prompt === undefined || request.prompt.includes(prompt)) &&
    (deployment === undefined || request.model === deployment) &&
    (toolResults === undefined || request.toolResults.length > 0 === toolResults)
  );
}

function invalid(problem: string): KeylessError {
  return new KeylessError("emulator/invalid-reply", `The \`reply\` is invalid: ${problem}`, {
    hint: "A reply is text, or { text?, toolCalls?, usage?, finish?, when?, times? }.",
  });
}

function need(condition: boolean, problem: string): asserts condition {
  if (!condition) throw invalid(problem);
}
