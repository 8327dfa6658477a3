import { createHash, randomBytes } from "node:crypto";
import { chatError } from "../http/problem.js";
import { invalidBody } from "../http/request.js";

/**
 * Ids of responses: `caresp_`, a partition of 18 characters that a chain of responses shares, and 32
 * of their own, as azure-ai-agentserver-responses 2.1 makes them (`_id_generator.py`).
 */
const RESPONSE_ID = /^caresp_([\da-zA-Z]{18})[\da-zA-Z]{32}$/;

/** The conversation that a response belongs to, and whether it must exist. */
export interface Chain {
  /** 16 hexadecimal digits and `00`. */
  partition: string;
  mustExist: boolean;
}

/**
 * Finds the conversation of a request: the one that it names, that of the response before, or a new
 * one. Throws `chat/invalid-request`, and `chat/session-not-found` for an id that no response has.
 */
export function chainOf(conversation: unknown, previous: unknown, ownId: string | null): Chain {
  const named = nameOf(conversation);
  if (named !== undefined) {
    const hash = createHash("sha256").update(named).digest("hex");
    return { partition: `${hash.slice(0, 16)}00`, mustExist: false };
  }
  if (previous !== undefined && previous !== null && previous !== "") {
    const [, partition] = RESPONSE_ID.exec(String(previous)) ?? [];
    if (partition) return { partition, mustExist: true };
    throw chatError(
      "chat/session-not-found",
      404,
      "There is no response with this previous_response_id, or it has ended",
      "Start a new conversation, without previous_response_id.",
    );
  }
  const [, own] = RESPONSE_ID.exec(ownId ?? "") ?? [];
  return { partition: own ?? `${randomBytes(8).toString("hex")}00`, mustExist: false };
}

/** The name of a conversation: a text, or an object with an id. */
function nameOf(conversation: unknown): string | undefined {
  if (conversation === undefined || conversation === null || conversation === "") return undefined;
  const { id = conversation } = conversation as { id?: unknown };
  if (typeof id === "string" && id !== "" && id.length <= 512) return id;
  throw invalidBody("conversation to be an id, or absent", "Leave it out for a new conversation.");
}

/** The id of a response in a header, if it can be one. */
export function responseId(given: string | null): string | undefined {
  return given !== null && RESPONSE_ID.test(given) ? given : undefined;
}

/** Creates an id with the partition of a chain. */
export function newId(prefix: "caresp" | "msg", partition: string): string {
  return `${prefix}_${partition}${randomBytes(16).toString("hex")}`;
}

/** The session of a conversation where neither request nor environment names one: 63 digits. */
export function derivedSession(agent: string, partition: string): string {
  return createHash("sha256").update(`${agent}:${partition}`).digest("hex").slice(0, 63);
}
