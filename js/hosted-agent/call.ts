import { createHash, randomUUID } from "node:crypto";
import type { ChatCall } from "../http/contract.js";
import { invalidBody } from "../http/request.js";
import { planModule } from "../wasm/bindings.js";
import type { Hosting } from "../wasm/modules/plan.js";

/**
 * The platform's headers, by azure-ai-agentserver-core 2.1 (`_platform_headers.py`). The user's
 * partitions state and is never forwarded; the call's is forwarded on requests to Foundry.
 */
const USER_HEADER = "x-agent-user-id";
const CALL_HEADER = "x-agent-foundry-call-id";
const ERROR_SOURCE_HEADER = "x-platform-error-source";
export const INVOCATION_HEADER = "x-agent-invocation-id";
export const SESSION_HEADER = "x-agent-session-id";
export const RESPONSE_HEADER = "x-agent-response-id";

/** A request to the agent, with what the platform says about it. */
export class AgentCall {
  readonly call: ChatCall;
  readonly query: URLSearchParams;
  readonly hosting: Hosting;
  /** The caller, once it is identified. */
  caller = "";

  constructor(call: ChatCall, query: URLSearchParams, hosting: Hosting) {
    this.call = call;
    this.query = query;
    this.hosting = hosting;
  }

  /** Identifies the caller: by the platform's header if it hosts this process, else by the app. */
  async identify(): Promise<string> {
    const user = this.call.headers.get(USER_HEADER);
    if (this.hosting.hosted) this.caller = user ? `user:${user}` : "";
    else this.caller = await this.call.caller();
    return this.caller;
  }

  /** Headers for the model requests of the turn. */
  requestHeaders(): Record<string, string> | undefined {
    const id = this.hosting.hosted ? this.call.headers.get(CALL_HEADER) : null;
    return id ? { [CALL_HEADER]: id } : undefined;
  }

  /**
   * The session that the request or the environment names. Throws `chat/invalid-request` for an id
   * that no session can have.
   */
  namedSession(given: unknown = this.query.get("agent_session_id")): string | undefined {
    if (given === undefined || given === null || given === "") return this.hosting.sessionId;
    if (typeof given === "string" && isId(given)) return given;
    throw invalidBody(
      "a valid agent_session_id, in the query or the body",
      "Up to 256 letters, digits, -, _, . and :.",
    );
  }

  /** An id of the caller's in a header, or a new one. */
  idOf(header: string): string {
    const given = this.call.headers.get(header) ?? "";
    return isId(given) ? given : randomUUID();
  }

  /**
   * The runtime's id for a conversation, in the form of a UUID: a hash with the caller, so that
   * nobody reaches another one's.
   */
  sessionOf(...name: string[]): string {
    const hash = createHash("sha256").update(JSON.stringify([this.caller, ...name]));
    const uuid = /^(.{8})(.{4})(.{4})(.{4})(.{12})/.exec(hash.digest("hex")) ?? [];
    return uuid.slice(1).join("-");
  }
}

/** Whether a text can be an id of the platform. */
export function isId(text: string): boolean {
  return planModule().isSessionId(text);
}

/** The header that says whose fault an error is, as the platform's own server sets it. */
export function errorSource(status: number): Record<string, string> {
  if (status < 400) return {};
  return { [ERROR_SOURCE_HEADER]: status < 500 ? "user" : "upstream" };
}
