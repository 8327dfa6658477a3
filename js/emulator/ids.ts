import { randomBytes, randomUUID } from "node:crypto";

/** An id as the OpenAI and Anthropic APIs write them, such as `resp_4f0c...`. */
export function newId(prefix: string): string {
  return `${prefix}${randomBytes(12).toString("hex")}`;
}

/** A request or correlation id as Azure writes them. */
export function newRequestId(): string {
  return randomUUID();
}
