import type { ChatLimits, EngineEvent, EngineRequest, EngineResult, Wire } from "../http/contract.js";
import type { Problem } from "../http/problem.js";
import { checkedPrompt, checkHead, parseObject } from "../http/request.js";
import { acceptedType, EVENTS_TYPE, JSON_TYPE, serverEvent } from "../http/wire.js";
import { type AgentCall, errorSource, INVOCATION_HEADER, SESSION_HEADER } from "./call.js";
import type { InvocationState, Invocations } from "./invocations.js";
import { problemBody } from "./problem-body.js";

/**
 * `POST /invocations`: `{ "input": "..." }` in, every event of the Copilot SDK out, as the Copilot
 * sample of Foundry answers (microsoft-foundry/foundry-samples,
 * samples/python/hosted-agents/bring-your-own/invocations/github-copilot).
 */
export class InvocationWire implements Wire {
  readonly resumable = true;
  readonly #agentCall: AgentCall;
  readonly #invocations: Invocations;
  readonly #id: string;
  #sessionId: string | undefined;
  #streamed = true;
  #state: InvocationState | undefined;

  constructor(agentCall: AgentCall, invocations: Invocations) {
    this.#agentCall = agentCall;
    this.#invocations = invocations;
    this.#id = agentCall.idOf(INVOCATION_HEADER);
  }

  checkHead(): void {
    const { call } = this.#agentCall;
    checkHead(call);
    // Events first: what the sample answers, whatever a caller accepts.
    this.#streamed = acceptedType(call, [EVENTS_TYPE, JSON_TYPE]) === EVENTS_TYPE;
    this.#sessionId = this.#agentCall.namedSession();
  }

  read(body: Uint8Array, { promptChars }: ChatLimits) {
    const prompt = checkedPrompt(parseObject(body, INPUT_HINT).input, "input", promptChars);
    const { caller } = this.#agentCall;
    const sessionId = this.#sessionId ?? crypto.randomUUID();
    this.#sessionId = sessionId;
    const invocation = this.#invocations.begin(caller, this.#id, sessionId);
    this.#state = invocation.state;
    const request: EngineRequest = {
      prompt,
      session: { id: this.#agentCall.sessionOf("session", sessionId), mustExist: false },
      requestHeaders: this.#agentCall.requestHeaders(),
      cancel: invocation.cancel.signal,
      raw: this.#streamed,
      reference: { invocation_id: this.#id, session_id: sessionId },
      ended: (outcome) => this.#invocations.end(invocation, outcome),
    };
    return { request, streamed: this.#streamed };
  }

  headers(status: number): Record<string, string> {
    return {
      [INVOCATION_HEADER]: this.#id,
      ...(this.#sessionId === undefined ? {} : { [SESSION_HEADER]: this.#sessionId }),
      ...errorSource(status),
    };
  }

  event(event: EngineEvent, id?: string): string {
    return event.type === "raw" ? serverEvent(undefined, event.event, id) : "";
  }

  done({ reference = {} }: EngineResult, id?: string): string {
    return serverEvent("done", reference, id);
  }

  json(): object {
    return this.#state ?? {};
  }

  failed(problem: Problem): string {
    return serverEvent("error", problemBody(problem));
  }

  problem(problem: Problem): object {
    return problemBody(problem);
  }
}

const INPUT_HINT = 'Send { "input": "..." }.';
