import { randomBytes, randomUUID } from "node:crypto";

/** Creates an id in the form of the OpenAI and Anthropic APIs, such as `resp_4f0c...`. */
export function newId(prefix: string): string {
  return `${prefix}${randomBytes(12).toString("hex")}`;
}

/** Creates a request or correlation id in the form of Azure. */
export function newRequestId(): string {
  return randomUUID();
}
