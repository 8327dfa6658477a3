import { ChatService, type CloseOptions } from "../chat/service.js";
import type { ChatStatus } from "../chat/worker.js";
import type { ChatCall, ChatResponse } from "../http/contract.js";
import { fetchHandler } from "../http/fetch-handler.js";
import { chatError, problem } from "../http/problem.js";
import { AgentCall, errorSource, INVOCATION_HEADER } from "./call.js";
import { InvocationWire } from "./invocation-wire.js";
import { Invocations } from "./invocations.js";
import { openApi } from "./openapi.js";
import {
  type HostedAgentOptions,
  readHostedAgentOptions,
  readServeOptions,
  type ServeOptions,
} from "./options.js";
import { problemBody } from "./problem-body.js";
import { Readiness } from "./readiness.js";
import { ResponseWire } from "./response-wire.js";
import { type AgentServer, serve } from "./server.js";

/** A handler of the requests of Foundry to a hosted agent, with the state that all of them share. */
export type HostedAgent = ((request: Request) => Promise<Response>) & {
  /** Reports the state, without a token. Sends no request and starts nothing. */
  status(): ChatStatus;
  /**
   * Serves the agent on `0.0.0.0`, port `PORT` or 8088, and starts the runtime and the token. SIGTERM
   * and SIGINT end it: new requests are answered 503, running turns may end within `drainMs`.
   *
   * @throws KeylessError `chat/invalid-option`; Node's error if it cannot listen
   */
  serve(options?: ServeOptions): Promise<AgentServer>;
  /**
   * Answers new requests 503 `chat/closing`, lets running turns end within `drainMs` (default
   * 5,000 ms), and then ends the runtime and the tokens. Call it again with less to hasten it.
   */
  close(options?: CloseOptions): Promise<void>;
};

/**
 * Creates a hosted agent for Microsoft Foundry: it answers `POST /invocations` with the events of the
 * Copilot SDK and `POST /responses` in the form of the OpenAI Responses API, with tokens of the
 * agent's own identity that do not run out. It also answers `GET /readiness`,
 * `GET /invocations/{id}`, `POST /invocations/{id}/cancel` and
 * `GET /invocations/docs/openapi.json`. Errors are problem+json.
 *
 * Where Foundry hosts the process (`FOUNDRY_HOSTING_ENVIRONMENT`), the platform's headers name the
 * user and the call; elsewhere they are ignored, and `authorize` decides. A conversation belongs to
 * its user, also where several share a session.
 *
 * @throws KeylessError `chat/invalid-option`. Errors of the environment are reported by the first
 * request and by `GET /readiness`
 * @example
 * ```ts
 * const agent = createHostedAgent({ authorize: "anonymous", systemMessage: "You sell tea." });
 * const { url } = await agent.serve();
 * console.log(`The agent listens on ${url}`);
 * ```
 */
export function createHostedAgent(options: HostedAgentOptions): HostedAgent {
  const { service: serviceOptions, authorize, log, home, env, hosting } = readHostedAgentOptions(options);
  const identified = hosting.hosted || authorize !== "anonymous";
  const service = new ChatService(serviceOptions, { identified, home });
  const { limits } = service;
  const invocations = new Invocations(limits);
  const readiness = new Readiness(service);

  const answer = async (call: ChatCall, url: string): Promise<ChatResponse> => {
    const { pathname, searchParams } = new URL(url);
    const agentCall = new AgentCall(call, searchParams, hosting);
    const caller = () => agentCall.identify();
    if (pathname === "/invocations")
      return service.respond({ ...call, caller, wire: new InvocationWire(agentCall, invocations) });
    if (pathname === "/responses") {
      const [model = ""] = service.status().models ?? [];
      return service.respond({ ...call, caller, wire: new ResponseWire(agentCall, model) });
    }
    return simpleAnswer(call, pathname, caller);
  };

  /** Answers what starts no turn. */
  const simpleAnswer = async (
    call: ChatCall,
    pathname: string,
    identify: () => Promise<string>,
  ): Promise<ChatResponse> => {
    const route = `${call.method} ${pathname}`;
    try {
      if (route === "GET /readiness") {
        const { status, body } = readiness.report();
        return jsonResponse(call, status, body);
      }
      if (route === "GET /invocations/docs/openapi.json") return jsonResponse(call, 200, openApi(hosting));
      const [, id = "", action] = /^\/invocations\/([^/]+)(\/cancel)?$/.exec(pathname) ?? [];
      const method = action ? "POST" : "GET";
      const isKnown = id !== "" || pathname === "/readiness";
      if (!isKnown) throw chatError("chat/not-found", 404, "There is nothing at this path", PATHS);
      if (call.method !== method) throw chatError("chat/method-not-allowed", 405, `Use ${method}`);
      const caller = await identify();
      const state = action ? invocations.cancel(caller, id) : invocations.find(caller, id).state;
      return jsonResponse(call, 200, state, { [INVOCATION_HEADER]: id });
    } catch (error) {
      const failure = problem(error, call.correlationId, serviceOptions.exposeErrors ?? false);
      const allow = failure.status === 405 ? { allow: pathname.endsWith("/cancel") ? "POST" : "GET" } : {};
      return jsonResponse(call, failure.status, problemBody(failure), {
        ...failure.headers,
        ...allow,
        "content-type": "application/problem+json",
      });
    }
  };

  const handle = fetchHandler({ authorize, callerMs: limits.callerMs, log }, answer);
  const agent: HostedAgent = Object.assign(handle, {
    status: () => service.status(),
    close: (how?: CloseOptions) => service.close(how),
    serve: async (given: ServeOptions = {}) => {
      const settings = readServeOptions(given, env);
      const server = await serve(agent, settings, limits.turns);
      readiness.begin();
      return server;
    },
  });
  return agent;
}

const PATHS = "Use POST /invocations or POST /responses.";

function jsonResponse(
  { correlationId }: ChatCall,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): ChatResponse {
  return {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-correlation-id": correlationId,
      ...errorSource(status),
      ...headers,
    },
    body: JSON.stringify(body),
  };
}
