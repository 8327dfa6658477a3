// The Responses API over WebSocket, as Azure documents it:
// https://learn.microsoft.com/azure/foundry/openai/how-to/websockets. What Azure leaves open (the
// form of errors, `generate: false`) follows https://developers.openai.com/api/docs/guides/websocket-mode.
// Whether Azure looks at a token again after the handshake is not documented; this does not.

import type { WebSocket } from "ws";
import { azureBody, type FaultSettings, faultRequest, isChallenged } from "./apply-faults.js";
import { claimsChallenge, type ErrorAnswer, invalidRequest } from "./errors.js";
import type { Fault, ReplyFault } from "./fault-types.js";
import { type AppContext, pause, plainHeaders } from "./http.js";
import { infer, type Model, previousResponseNotFound } from "./inference.js";
import { isObject, type Json, objectsOf, textOf } from "./json.js";
import type { OpenRecord, RequestLog } from "./log.js";
import type { ServerSentEvent } from "./sse.js";

/** What a connection needs besides the model. */
export interface WebSocketSettings extends Model {
  readonly log: RequestLog;
  readonly faults: FaultSettings;
  /** Milliseconds. */
  readonly chunkDelayMs: number;
}

const LONGEST_CONNECTION_MS = 3_600_000;

/** The last response of a connection, which the next request may continue. */
interface Previous {
  readonly id: string;
  /** Its whole input and output. */
  readonly items: readonly Json[];
}

/** Answers the `response.create` messages of a connection, one after the other. */
export function converse(socket: WebSocket, c: AppContext, settings: WebSocketSettings): void {
  const openedOn = settings.clock.now();
  let previous: Previous | undefined;
  let turns = Promise.resolve();
  const send = (data: object) => socket.send(JSON.stringify(data));

  async function turn(text: string): Promise<void> {
    if (settings.clock.now() - openedOn >= LONGEST_CONNECTION_MS) {
      send(errorEvent(LIMIT_REACHED));
      socket.close();
      return;
    }
    const record = settings.log.open("foundry", c.env.incoming, "WEBSOCKET");
    const { authorization, tokenId } = c.get("record");
    Object.assign(record, { authorization, tokenId });
    const refuse = (answer: ErrorAnswer) => {
      settings.log.answered(record, answer.status);
      send(errorEvent(answer));
    };
    const body = read(text);
    if (!body) return refuse(invalidRequest("We could not parse the JSON body of your request."));
    if (body.type !== "response.create") {
      return refuse(
        invalidRequest(`Unknown event '${textOf(body.type)}'; expected response.create.`, null, "type"),
      );
    }
    const fault = settings.faults.queue.take(faultRequest(c, "foundry", text, undefined));
    if (fault && (await isEnded(fault, record, refuse))) return;
    const { previous_response_id: id } = body;
    if (id && id !== previous?.id) return refuse(previousResponseNotFound(textOf(id)));
    const items = [...(id ? (previous?.items ?? []) : []), ...itemsOf(body.input)];
    const outcome = await infer(settings, {
      route: "responses",
      // The connection has the earlier items; the model sees all of them.
      body: { ...body, previous_response_id: undefined, input: items },
      requestLength: JSON.stringify(items).length,
      headers: plainHeaders(c.env.incoming),
      stream: true,
      fault: fault?.kind === "stream-error" || fault?.kind === "length" ? (fault as ReplyFault) : undefined,
    });
    if ("error" in outcome) return refuse(outcome.error);
    settings.log.answered(record, 200);
    const events = body.generate === false ? warmUp(outcome.events()) : outcome.events();
    for (const event of events) {
      const response = responseOf(event);
      if (response && id) response.previous_response_id = id;
      if (event.delta && settings.chunkDelayMs > 0) await pause(c, settings.chunkDelayMs);
      if (socket.readyState !== socket.OPEN) break;
      send(event.data as object);
      if (response && ENDS.has(textOf((event.data as Json).type))) {
        previous = { id: textOf(response.id), items: [...items, ...objectsOf(response.output)] };
      }
    }
    settings.log.closed(record, socket.readyState !== socket.OPEN);
  }

  /** Applies a fault. Returns whether it ends the turn. */
  async function isEnded(
    fault: Fault,
    record: OpenRecord,
    refuse: (answer: ErrorAnswer) => void,
  ): Promise<boolean> {
    if (fault.kind === "claims-challenge" && !isChallenged(c, fault)) return false;
    record.fault = fault.kind;
    switch (fault.kind) {
      case "status":
        refuse(azureBody(c, settings.faults, fault));
        return true;
      case "body":
        settings.log.answered(record, fault.status ?? 200);
        socket.send(typeof fault.body === "string" ? fault.body : JSON.stringify(fault.body));
        return true;
      case "claims-challenge":
        refuse(claimsChallenge(fault.claims));
        return true;
      case "hang":
        await new Promise((resolve) => socket.once("close", resolve));
        return true;
      case "reset":
      case "cut-stream":
        socket.terminate();
        return true;
      case "delay":
      case "slow-body":
        await pause(c, fault.delayMs);
        return false;
      default:
        return false;
    }
  }

  socket.on("message", (data) => {
    turns = turns
      .then(() => turn(String(data)))
      .catch((error: Error) => {
        const message = error.message;
        send(errorEvent({ status: 400, body: { error: { code: "emulator/reply-failed", message } } }));
      });
  });
  socket.on("error", () => socket.terminate());
}

/** The last events of a response. */
const ENDS = new Set(["response.completed", "response.incomplete"]);

const LIMIT_REACHED: ErrorAnswer = {
  status: 400,
  body: {
    error: {
      type: "invalid_request_error",
      code: "websocket_connection_limit_reached",
      message:
        "Responses websocket connection limit reached (60 minutes). Create a new websocket connection to continue.",
    },
  },
};

/** An error event: the status and the error of the answer over HTTP. */
function errorEvent({ status, body }: ErrorAnswer): Json {
  const error = isObject(body) && isObject(body.error) ? body.error : { message: textOf(body) };
  return { type: "error", status, error };
}

/** A response without output, which later requests continue. */
function* warmUp(events: Iterable<ServerSentEvent>): Generator<ServerSentEvent> {
  let sequence = 0;
  for (const event of events) {
    const { type } = event.data as Json;
    const response = responseOf(event);
    if (response && ENDS.has(textOf(type))) {
      Object.assign(response, { status: "completed", incomplete_details: null, output: [] });
      yield { data: { type: "response.completed", sequence_number: sequence, response } };
    } else if (response) {
      sequence += 1;
      yield event;
    }
  }
}

function responseOf({ data }: ServerSentEvent): Json | undefined {
  return isObject(data) && isObject(data.response) ? data.response : undefined;
}

function itemsOf(input: unknown): Json[] {
  return typeof input === "string"
    ? [{ type: "message", role: "user", content: [{ type: "input_text", text: input }] }]
    : objectsOf(input);
}

function read(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
