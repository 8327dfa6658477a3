import type { ErrorCode } from "../errors/codes.js";

/** An entry of the access log. Holds no query, body, header or token. */
export interface GatewayAccess {
  /** When the request arrived, in epoch milliseconds. */
  at: number;
  method: string;
  /** The path that the client asked for. */
  path: string;
  /** The status that the client received; 0 if it left before. */
  status: number;
  /** The code of the error that the gateway sent. */
  code?: ErrorCode;
  /** Whether the request was sent twice, because of its token or a closed connection. */
  repeated: boolean;
  /** `client-left` and `upstream-broke`: the answer is incomplete. */
  outcome: "answered" | "client-left" | "upstream-broke";
  /** Milliseconds until the first byte of the answer; undefined if there was none. */
  firstByteMs?: number;
  /** Milliseconds until the end. */
  durationMs: number;
  requestBytes: number;
  responseBytes: number;
}
