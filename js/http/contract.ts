/**
 * What a chat over HTTP is, whatever serves it: a request in JSON, a reply in JSON or as server-sent events, and errors as
 * problem+json. Nothing in this folder needs Node.
 */

import type { TokenStatus } from "../wasm/token.js";

/** What a caller asks. */
export interface ChatRequest {
  prompt: string;
  /** The conversation to go on with: what an earlier reply gave. */
  sessionId?: string | undefined;
  /** One of the models that the app offers. Default: that of the conversation, else the first. */
  model?: string | undefined;
}

/** What happens while the reply is made. */
export type ChatEvent =
  | { type: "delta"; text: string }
  /** A tool runs, or has run. Neither its arguments nor its result are the caller's business. */
  | { type: "tool"; id: string; name: string; state: "started" | "succeeded" | "failed" };

/** What is known when the reply is complete. */
export interface ChatResult {
  /** The last message of the turn. */
  reply: string;
  /** Goes on with this conversation; absent where none is kept. */
  sessionId?: string | undefined;
  model: string;
}

/** How long a turn may take unless it is said, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 120_000;

/** Whoever answers. Ends with the result, or throws a {@link KeylessError}; after an abort, soon and with anything. */
export type ChatEngine = (
  request: ChatRequest,
  turn: { caller: string; signal: AbortSignal },
) => AsyncGenerator<ChatEvent, ChatResult, undefined>;

/** A request as its transport has it. */
export interface ChatCall {
  method: string;
  headers: Pick<Headers, "get">;
  body: ChunkSource | null;
  /** Whether something has read the body before. */
  bodyUsed: boolean;
  /** Who asks; "" where callers are not told apart. Rejects with a {@link KeylessError}. */
  caller: () => string | Promise<string>;
  /** Finds this call in the logs. */
  correlationId: string;
  /** Aborted when the caller has left. */
  signal: AbortSignal;
  /** Resolves when the caller takes more, rejects when it has taken nothing for too long. */
  ready?: (() => Promise<void>) | undefined;
  log: (entry: ChatLogEntry) => void;
}

/** The part of a `ReadableStream` that a body is read by; the streams of different type libraries have it in common. */
export interface ChunkSource {
  getReader(): {
    read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
}

/** How the tokens stand, without a token. */
export type ChatTokenStatus = Omit<TokenStatus, "lastError"> & {
  /** The code of the last failure. */
  lastError?: string;
};

/** A line for the log. It holds neither the prompt nor the reply nor a token. */
export interface ChatLogEntry {
  level: "info" | "warn" | "error";
  message: string;
  correlationId: string;
  /** How long the call took, in milliseconds. */
  durationMs: number;
  status: number;
  code?: string | undefined;
  /** What an error says, and its hint. */
  detail?: string | undefined;
}

/** An answer for the transport to send. */
export interface ChatResponse {
  status: number;
  headers: Record<string, string>;
  body: string | ReadableStream<Uint8Array>;
}

/** How much one caller, and all of them, may ask for. */
export interface ChatLimits {
  /** The longest body, in bytes. Default 262,144. */
  bodyBytes: number;
  /** How long a body may take to arrive, in milliseconds. Default 10,000. */
  bodyMs: number;
  /** The longest prompt, in characters. Default 32,000. */
  promptChars: number;
  /**
   * How many turns may run at the same time, counted from a request's arrival to the last byte of its answer. More are answered 503.
   * Default 100.
   */
  turns: number;
  /** How many of these one caller may have. More are answered 429. Default: half of `turns`; all where callers are not told apart. */
  turnsPerCaller: number;
  /** How long the app may take to say who asks (`authorize`, `caller`), in milliseconds. Default 10,000. */
  callerMs: number;
  /** How long a caller may take nothing of a streamed reply, in milliseconds. Then it is cut off. Default 30,000. */
  stallMs: number;
  /** After how long a silent stream is sent a comment, so that nobody in between closes it, in milliseconds. Default 15,000. */
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
