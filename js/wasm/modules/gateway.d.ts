// The bindings of crates/wasm/src/gateway.rs, written by hand. The build adds wasm-pack's module.

import type { GatewayRefusalCode } from "../../errors/codes.js";

export function initSync(options: { module: Uint8Array }): void;

/** The form of an error, by the API that the client speaks. */
export type Dialect = "openai" | "anthropic";

/** Checks requests and finds their routes. */
export class Gateway {
  /** `hosts`: further names in `Host`; undefined accepts any. `origins`: of web pages. */
  constructor(baseUrl: string, key: string, hosts: string[] | undefined, origins: string[]);
  /**
   * `headers`: all of the request, `name: value` each, joined by line feeds. Returns lines: `forward`,
   * dialect, `true` or `false` for a turn, digits for the headers, target; or `health`; or `empty`; or
   * `refuse`, dialect, code. A digit is `1` if the header passes, else `0`.
   */
  admit(method: string, target: string, headers: string): string;
  free(): void;
}

/** Returns a digit for each header of an answer: `1` if the client receives it, else `0`. */
export function responseHeaders(headers: string): string;

/** Returns status, message and JSON body of a refusal. */
export function refusal(code: GatewayRefusalCode, dialect: Dialect): [number, string, string];

/** Returns the JSON body of an error. */
export function errorBody(dialect: Dialect, status: number, code: string, message: string): string;

/** Whether a status is that of an answer, neither interim nor unknown to HTTP. */
export function isFinalStatus(status: number): boolean;

/** Whether the body of an answer with this status must be read before {@link judge}. */
export function needsReading(status: number): boolean;

/** What to do with an answer; `src/gateway/answer.rs` describes each. */
export type Verdict = "pass" | "renew" | "challenge" | "retry-by-client" | "explain" | "redirect";

/** `code`: that of the diagnosis, or empty. */
export function judge(
  status: number,
  code: string,
  tokenRejected: boolean,
  claims: boolean,
  isTurn: boolean,
  repeatable: boolean,
  repeated: boolean,
): Verdict;

/** Whether a request without an answer is sent again, because its idle connection was closed. */
export function repeatsBrokenConnection(reused: boolean, repeatable: boolean, repeated: boolean): boolean;

/** Returns the `gen_ai.operation.name` of OpenTelemetry for a path; undefined for other objects. */
export function operation(target: string): "chat" | "text_completion" | "embeddings" | undefined;

/** Returns the model, or deployment, that a request names: in its path, or where its body begins. */
export function modelOf(target: string, body: Uint8Array): string | undefined;

/** Returns input and output tokens by the end of an answer; undefined if it does not say. */
export function usageOf(tail: string): Float64Array | undefined;

/** What a request needs of its backend. */
export class Wanted {
  /** `target`: as the client sent it. `body`: decompressed, as far as it is there. */
  constructor(target: string, body: Uint8Array);
  /** The model, or deployment, that the request names. */
  model(): string | undefined;
  /** Whether the answer has ids to remember. */
  makesIds(): boolean;
  free(): void;
}

/** Reads the ids of an answer. */
export class AnswerReader {
  free(): void;
}

/** Which backend to ask: its position, or how many milliseconds to wait. */
export type Choice = [kind: "ask" | "wait" | "unknown-model" | "exhausted", number: number];

/** Chooses among backends. Times are monotonic milliseconds; `chance` is a random number in 0..1. */
export class Pool {
  /** Lists with an item for each backend; its models are joined by line feeds. */
  constructor(resources: string[], models: string[], priorities: Uint32Array, weights: Uint32Array);
  /** Takes over conversations and pauses. */
  adopt(other: Pool): void;
  /** `excluded`: those not to ask. `isFirst`: none was asked. */
  choose(wanted: Wanted, excluded: Uint32Array, isFirst: boolean, now: number, chance: number): Choice;
  /**
   * Notes a result, and returns whether the request should be sent to another backend. `status`: of
   * an answer; 0 if the connection broke, -1 if there was none, -2 if the client left. `headers` is
   * a text as for {@link Gateway.admit}.
   */
  report(
    backend: number,
    wanted: Wanted,
    status: number,
    headers: string,
    repeatable: boolean,
    isSafe: boolean,
    sent: number,
    now: number,
    wall: number,
    chance: number,
  ): boolean;
  /** Notes that an answer is complete. */
  finish(backend: number): void;
  readAnswer(backend: number, reader: AnswerReader, bytes: Uint8Array): void;
  /** How long a backend is paused as a whole; 0 if it is not. */
  pausedMs(backend: number, now: number): number;
  free(): void;
}
