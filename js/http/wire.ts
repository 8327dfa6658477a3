import { bestType } from "./accept.js";
import type { ChatCall, ChatLimits, EngineEvent, EngineResult, Wire } from "./contract.js";
import { chatError, type Problem } from "./problem.js";
import { checkHead, parseRequest } from "./request.js";

export const JSON_TYPE = "application/json";
export const EVENTS_TYPE = "text/event-stream";

/** The protocol of the chat handlers, docs/guides/http-server.md. */
export class ChatWire implements Wire {
  readonly resumable = true;
  readonly #call: ChatCall;
  #type: string | undefined;

  constructor(call: ChatCall) {
    this.#call = call;
  }

  checkHead(): void {
    checkHead(this.#call);
    // JSON first: the default for callers without a preference.
    this.#type = acceptedType(this.#call, [JSON_TYPE, EVENTS_TYPE]);
  }

  read(body: Uint8Array, limits: ChatLimits) {
    return { request: parseRequest(body, limits), streamed: this.#type === EVENTS_TYPE };
  }

  headers(): Record<string, string> {
    return {};
  }

  event(event: EngineEvent, id?: string): string {
    const { type, ...data } = event;
    return serverEvent(type, data, id);
  }

  done({ sessionId, model }: EngineResult, id?: string): string {
    return serverEvent("done", { sessionId, model }, id);
  }

  failed({ body }: Problem): string {
    return serverEvent("error", body);
  }

  json({ reply, sessionId, model }: EngineResult): object {
    return { reply, sessionId, model };
  }

  problem({ body }: Problem): object {
    return body;
  }
}

/** Selects the media type of the reply by the Accept header. Throws `chat/not-acceptable`. */
export function acceptedType({ headers }: Pick<ChatCall, "headers">, types: readonly string[]): string {
  const best = bestType(headers.get("accept"), types);
  if (best !== undefined) return best;
  throw chatError("chat/not-acceptable", 406, `Replies are ${types.toSorted().join(" or ")}`);
}

/** Formats a server-sent event. JSON contains no line breaks, so one data line is enough. */
export function serverEvent(type: string | undefined, data: object, id?: string): string {
  const head = `${id === undefined ? "" : `id: ${id}\n`}${type === undefined ? "" : `event: ${type}\n`}`;
  return `${head}data: ${JSON.stringify(data)}\n\n`;
}
