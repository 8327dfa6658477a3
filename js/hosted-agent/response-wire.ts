import type {
  ChatLimits,
  EngineEvent,
  EngineRequest,
  EngineResult,
  EngineUsage,
  Wire,
} from "../http/contract.js";
import type { Problem } from "../http/problem.js";
import { checkHead, parseObject } from "../http/request.js";
import { serverEvent } from "../http/wire.js";
import { systemClock } from "../platform/clock.js";
import { type AgentCall, errorSource, RESPONSE_HEADER, SESSION_HEADER } from "./call.js";
import { problemBody } from "./problem-body.js";
import { chainOf, derivedSession, newId, responseId } from "./response-id.js";
import { checkSupported, promptOf } from "./response-input.js";

/**
 * `POST /responses`: the Responses API of OpenAI, as azure-ai-agentserver-responses 2.1 answers it.
 * The reply is one message with the text of the whole turn.
 */
export class ResponseWire implements Wire {
  /** A stream of the Responses API has numbers of its own. */
  readonly resumable = false;
  readonly #agentCall: AgentCall;
  readonly #createdAt = seconds();
  #model: string;
  #sequence = 0;
  #begun = false;
  #text = "";
  #ids = { response: "", message: "", session: "" };
  /** Fields of the request that the response repeats. */
  #echo: Record<string, unknown> = {};

  constructor(agentCall: AgentCall, model: string) {
    this.#agentCall = agentCall;
    this.#model = model;
  }

  checkHead(): void {
    checkHead(this.#agentCall.call);
  }

  read(body: Uint8Array, { promptChars }: ChatLimits) {
    const fields = parseObject(body, 'Send { "input": "..." }.');
    checkSupported(fields);
    const prompt = promptOf(fields.input, promptChars);
    const { conversation, previous_response_id: previous, metadata } = fields;
    const ownId = this.#agentCall.call.headers.get(RESPONSE_HEADER);
    const { partition, mustExist } = chainOf(conversation, previous, ownId);
    const { hosting, query } = this.#agentCall;
    const session = this.#agentCall.namedSession(fields.agent_session_id ?? query.get("agent_session_id"));
    this.#ids = {
      response: responseId(ownId) ?? newId("caresp", partition),
      message: newId("msg", partition),
      session: session ?? derivedSession(hosting.agent ?? "", partition),
    };
    this.#echo = {
      ...(previous ? { previous_response_id: previous } : {}),
      ...(conversation
        ? { conversation: typeof conversation === "string" ? { id: conversation } : conversation }
        : {}),
      metadata: typeof metadata === "object" ? metadata : null,
    };
    const request: EngineRequest = {
      prompt,
      session: { id: this.#agentCall.sessionOf("response", partition), mustExist },
      requestHeaders: this.#agentCall.requestHeaders(),
    };
    return { request, streamed: fields.stream === true };
  }

  headers(status: number): Record<string, string> {
    const { session } = this.#ids;
    return { ...(session === "" ? {} : { [SESSION_HEADER]: session }), ...errorSource(status) };
  }

  event(event: EngineEvent): string {
    if (event.type !== "delta") return this.#begin();
    this.#text += event.text;
    return this.#begin() + this.#part("output_text.delta", { delta: event.text, logprobs: [] });
  }

  done({ model, usage }: EngineResult): string {
    const begin = this.#begin();
    this.#model = model;
    const item = this.#message("completed");
    return [
      begin,
      this.#part("output_text.done", { text: this.#text, logprobs: [] }),
      this.#part("content_part.done", { part: textPart(this.#text) }),
      this.#send("output_item.done", { output_index: 0, item }),
      this.#send("completed", { response: this.#response("completed", [item], usage) }),
    ].join("");
  }

  failed(problem: Problem): string {
    const { code, message } = problemBody(problem).error as { code: string; message: string };
    const begin = this.#begin();
    const output = this.#text === "" ? [] : [this.#message("incomplete")];
    const response = { ...this.#response("failed", output), error: { code, message } };
    return begin + this.#send("failed", { response });
  }

  json({ text = "", model, usage }: EngineResult): object {
    this.#text = text;
    this.#model = model;
    return this.#response("completed", [this.#message("completed")], usage);
  }

  problem(problem: Problem): object {
    return problemBody(problem);
  }

  /** The events before the first text, once. */
  #begin(): string {
    if (this.#begun) return "";
    this.#begun = true;
    const response = this.#response("in_progress", []);
    const item = { ...this.#message("in_progress"), content: [] };
    return [
      this.#send("created", { response }),
      this.#send("in_progress", { response }),
      this.#send("output_item.added", { output_index: 0, item }),
      this.#part("content_part.added", { part: textPart("") }),
    ].join("");
  }

  #part(name: string, fields: object): string {
    return this.#send(name, { item_id: this.#ids.message, output_index: 0, content_index: 0, ...fields });
  }

  #send(name: string, fields: object): string {
    const type = `response.${name}`;
    const data = { type, ...fields, sequence_number: this.#sequence };
    this.#sequence += 1;
    return serverEvent(type, data);
  }

  #message(status: string) {
    const content = [textPart(this.#text)];
    return { type: "message", id: this.#ids.message, role: "assistant", status, content };
  }

  #response(status: string, output: object[], usage?: EngineUsage): Record<string, unknown> {
    const [name, version] = this.#agentCall.hosting.agent?.split(":") ?? [];
    return {
      id: this.#ids.response,
      object: "response",
      created_at: this.#createdAt,
      ...(status === "completed" ? { completed_at: seconds() } : {}),
      status,
      background: false,
      model: this.#model,
      output,
      error: null,
      incomplete_details: null,
      instructions: null,
      parallel_tool_calls: false,
      tool_choice: "auto",
      tools: [],
      temperature: null,
      top_p: null,
      ...this.#echo,
      usage: usage ? usageOf(usage) : null,
      agent_session_id: this.#ids.session,
      ...(name
        ? { agent_reference: { type: "agent_reference", name, ...(version ? { version } : {}) } }
        : {}),
    };
  }
}

const textPart = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] });

const seconds = (): number => Math.floor(systemClock.now() / 1_000);

function usageOf({ inputTokens, outputTokens, cachedInputTokens, reasoningTokens }: EngineUsage) {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedInputTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  };
}
