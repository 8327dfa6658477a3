import { createHash } from "node:crypto";

/** What a caller's id of a conversation says. */
export interface ConversationName {
  /** The runtime's id of the session. */
  id: string;
  model: string;
}

/** Longer ids are not ours. */
const LONGEST_ID = 1_024;

const ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** The id for callers. It is no secret: another caller finds nothing under it. */
export function sessionIdOf({ id, model }: ConversationName): string {
  return Buffer.from(JSON.stringify([id, model])).toString("base64url");
}

/** Reads an id of a caller. Undefined for one that was not made by {@link sessionIdOf}. */
export function nameOf(sessionId: string): ConversationName | undefined {
  if (sessionId.length > LONGEST_ID) return undefined;
  try {
    const [id, model] = JSON.parse(Buffer.from(sessionId, "base64url").toString()) as [string, string];
    const name = { id, model };
    return ID.test(id) && sessionIdOf(name) === sessionId ? name : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The folder of all conversations of a caller. Hashes are spread evenly over the storage's
 * partitions, and tell nothing.
 */
export function folderOf(caller: string): string {
  return hash(`caller\0${caller}`);
}

/** The folder of one conversation. It depends on the caller, the id and the model. */
export function pathOf({ id, model }: ConversationName, caller: string): string {
  return `${folderOf(caller)}/${hash(`conversation\0${JSON.stringify([id, model])}`)}`;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 40);
}
