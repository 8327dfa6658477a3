// The contract of a chat over HTTP: a request in JSON, a reply in JSON or as server-sent events,
// and errors as problem+json. This folder does not need Node.

import type { TokenStatus } from "../wasm/types/token.js";
import type { Problem } from "./problem.js";

/** The request of a caller. */
export interface ChatRequest {
  prompt: string;
  /** The conversation to continue: the `sessionId` of an earlier reply. */
  sessionId?: string | undefined;
  /** One of the models that the app serves. Default: the conversation's, or else the first. */
  model?: string | undefined;
}

/** An event of a streamed reply. */
export type ChatEvent =
  | { type: "delta"; text: string }
  /** A tool started or ended. Its arguments and its result are not disclosed to the caller. */
  | { type: "tool"; id: string; name: string; state: "started" | "succeeded" | "failed" };

/** The result of a complete reply. */
export interface ChatResult {
  /** The last message of the turn. */
  reply: string;
  /** Continues this conversation. Absent if conversations are not kept. */
  sessionId?: string | undefined;
  model: string;
}

/** A request as a protocol passes it to the engine. */
export interface EngineRequest extends ChatRequest {
  /** The conversation by its name, in place of `sessionId`. */
  session?: NamedSession | undefined;
  /** Headers for the model requests of this turn. */
  requestHeaders?: Record<string, string> | undefined;
  /** Ends the turn with its reason. */
  cancel?: AbortSignal | undefined;
  /** Whether the runtime's events are passed on as they are, in place of text and tools. */
  raw?: boolean | undefined;
  /** Returned with the result, also to a connection that resumes the reply. */
  reference?: object | undefined;
  /** Receives the end of the turn, whether or not anybody reads it: the result, or why there is none. */
  ended?: ((outcome: TurnOutcome) => void) | undefined;
}

/** How a turn ended. */
export type TurnOutcome = { result: EngineResult } | { error: unknown };

/** A conversation that is found by its name: it is continued, or else started. */
export interface NamedSession {
  /** The runtime's id for it. Whoever knows it is its caller. */
  id: string;
  /** Whether it is refused with `chat/session-not-found` if it does not exist. */
  mustExist: boolean;
}

/** An event of a turn, as a protocol receives it. */
export type EngineEvent =
  | ChatEvent
  /** An event of the Copilot SDK as it is. */
  | { type: "raw"; event: object };

/** The tokens that a turn used. */
export interface EngineUsage {
  inputTokens: number;
  outputTokens: number;
  cachedInputTokens: number;
  reasoningTokens: number;
}

/** The result of a turn, as a protocol receives it. */
export interface EngineResult extends ChatResult {
  /** The text of all messages of the turn. */
  text?: string | undefined;
  usage?: EngineUsage | undefined;
  /** That of the request. */
  reference?: object | undefined;
}

/** The default of `timeoutMs`, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 120_000;

/** A running turn, as its connection reads it. */
export interface ChatTurn {
  next(): Promise<IteratorResult<EngineEvent, EngineResult>>;
  /** Ends it early, or after its result. */
  return(value: never): Promise<unknown>;
  /** The id of the event that was read last, if the reply can be resumed after it. */
  eventId?: () => string | undefined;
}

/**
 * Answers requests. Returns the result or throws a {@link KeylessError}. After an abort it ends
 * soon, in any way.
 */
export type ChatEngine = (
  request: EngineRequest,
  turn: { caller: string; signal: AbortSignal },
) => AsyncGenerator<EngineEvent, EngineResult, undefined>;

/** How a protocol reads a request and writes its reply. Each call has its own, which may keep state. */
export interface Wire {
  /** Whether a streamed reply can be resumed by `last-event-id`. */
  readonly resumable: boolean;
  /** Checks the head, before the body is read. Throws a KeylessError `chat/...`. */
  checkHead(): void;
  /** Reads the body, and whether the reply is streamed. Throws a KeylessError `chat/...`. */
  read(body: Uint8Array, limits: ChatLimits): { request: EngineRequest; streamed: boolean };
  /** Headers of the response with this status. */
  headers(status: number): Record<string, string>;
  /** The server-sent events for an event of the turn; `id` if it can be resumed after it. */
  event(event: EngineEvent, id?: string): string;
  /** The server-sent events that end a complete reply. */
  done(result: EngineResult, id?: string): string;
  /** The server-sent events that end a reply that failed. */
  failed(problem: Problem): string;
  /** The body of a reply that is not streamed. */
  json(result: EngineResult): object;
  /** The body of an error, problem+json. */
  problem(problem: Problem): object;
}

/** A request as its transport received it. */
export interface ChatCall {
  method: string;
  headers: Pick<Headers, "get">;
  body: ChunkSource | null;
  /** Whether the body was read before. */
  bodyUsed: boolean;
  /**
   * Returns the caller's id, or "" if callers are not identified. Rejects with a {@link
   * KeylessError}.
   */
  caller: () => string | Promise<string>;
  /** The id of this call in the logs. */
  correlationId: string;
  /** Aborts when the caller disconnects. */
  signal: AbortSignal;
  /** Resolves when the caller can receive more; rejects if it stalls for too long. */
  ready?: (() => Promise<void>) | undefined;
  log: (entry: ChatLogEntry) => void;
  /** The protocol. Default: that of the chat handlers. */
  wire?: Wire | undefined;
}

/**
 * The part of `ReadableStream` that reading a body needs. The streams of all type libraries have
 * it.
 */
export interface ChunkSource {
  getReader(): {
    read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
}

/** The status of a token provider, without a token. */
export type ChatTokenStatus = Omit<TokenStatus, "lastError"> & {
  /** The code of the last failure. */
  lastError?: string;
};

/** A log entry. Holds no prompt, no reply and no token. */
export interface ChatLogEntry {
  level: "info" | "warn" | "error";
  message: string;
  correlationId: string;
  /** The duration of the call, in milliseconds. */
  durationMs: number;
  status: number;
  code?: string | undefined;
  /** The message and the hint of an error. */
  detail?: string | undefined;
}

/** A response for the transport to send. */
export interface ChatResponse {
  status: number;
  headers: Record<string, string>;
  body: string | ReadableStream<Uint8Array>;
}

/** Limits for one caller and for all callers together. */
export interface ChatLimits {
  /** The longest body, in bytes. Default 262,144. */
  bodyBytes: number;
  /** The deadline for a body to arrive, in milliseconds. Default 10,000. */
  bodyMs: number;
  /** The longest prompt, in characters. Default 32,000. */
  promptChars: number;
  /**
   * The number of concurrent turns, each from a request's arrival to the last byte of its response.
   * Further requests are answered 503. Default 100.
   */
  turns: number;
  /**
   * The number of concurrent turns of one caller. Further requests are answered 429. Default: half
   * of `turns`, or all if callers are not identified.
   */
  turnsPerCaller: number;
  /**
   * The deadline for the app to identify a caller (`authorize`, `caller`), in milliseconds. Default
   * 10,000.
   */
  callerMs: number;
  /**
   * How long a caller may stall a streamed reply before it is cut off, in milliseconds. Default
   * 30,000.
   */
  stallMs: number;
  /**
   * The interval of comments on a silent stream, so that no proxy closes it, in milliseconds.
   * Default 15,000.
   */
  heartbeatMs: number;
}

const TURNS = 100;

export const DEFAULT_LIMITS: ChatLimits = {
  bodyBytes: 262_144,
  bodyMs: 10_000,
  promptChars: 32_000,
  turns: TURNS,
  turnsPerCaller: TURNS,
  callerMs: 10_000,
  stallMs: 30_000,
  heartbeatMs: 15_000,
};
