import type { IncomingMessage } from "node:http";
import { redact } from "../errors/redact.js";
import type { EmulatorClock } from "./clock.js";
import type { EmulatorServer, FaultKind } from "./fault-types.js";
import type { TokenClaims } from "./tokens.js";

/** How a request to the resource authenticated. Never holds the token itself. */
export interface RequestAuthorization extends Partial<TokenClaims> {
  /** `bearer`, `api-key` (header `api-key` or `x-api-key`), `other` scheme, or `none`. */
  readonly scheme: "bearer" | "api-key" | "other" | "none";
  /**
   * The result of the resource's check. The claims are present if the signature is valid, so also
   * for `expired`, `revoked`, `wrong-audience` and `missing-role`.
   */
  readonly verdict:
    | "valid"
    | "invalid"
    | "expired"
    | "revoked"
    | "wrong-audience"
    | "missing-role"
    | "missing";
}

/**
 * A request, logged when its head arrives. The fields after `at` change until the response is sent.
 */
export interface RequestRecord {
  /** Counts the requests to both servers, from 1. */
  readonly id: number;
  readonly server: EmulatorServer;
  /** `WEBSOCKET` for a request over an open WebSocket, whose handshake is a `GET` with status 101. */
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Without the question mark; absent if there is none. */
  readonly query?: string;
  readonly userAgent: string;
  /** Epoch milliseconds by the emulator's clock. */
  readonly at: number;
  /** The HTTP status; 0 until there is one, and if a fault prevents a response. */
  readonly status: number;
  /**
   * Milliseconds by the emulator's clock; absent until the response begins, final when it is sent.
   */
  readonly durationMs?: number;
  /** Whether the connection ended before the whole response was sent, by the caller or a fault. */
  readonly aborted: boolean;
  /** The fault that was applied. */
  readonly fault?: FaultKind;
  /**
   * The `uti` of the token that was issued (identity), or received with a valid signature
   * (foundry).
   */
  readonly tokenId?: string;
  /** Foundry only. */
  readonly authorization?: RequestAuthorization;
}

/** Totals since the start. They include requests that the log no longer holds. */
export interface RequestCounts {
  readonly identity: number;
  readonly foundry: number;
  /** Responses with status 401, of both servers. */
  readonly unauthorized: number;
}

/** The record of a request in progress. */
export type OpenRecord = { -readonly [K in keyof RequestRecord]: RequestRecord[K] };

/** Keeps the last `limit` requests. */
export class RequestLog {
  readonly records: OpenRecord[] = [];
  readonly counts = { identity: 0, foundry: 0, unauthorized: 0 };
  readonly #clock: EmulatorClock;
  readonly #limit: number;

  constructor(clock: EmulatorClock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** Forgets all requests and counts from zero. */
  clear(): void {
    this.records.length = 0;
    Object.assign(this.counts, { identity: 0, foundry: 0, unauthorized: 0 });
  }

  /**
   * Opens a record.
   *
   * @param method of a message on an open WebSocket
   */
  open(server: EmulatorServer, incoming: IncomingMessage, method = incoming.method ?? ""): OpenRecord {
    this.counts[server] += 1;
    // Tests print the log, and any of these may hold a pasted token.
    const [path = "/", query] = redact(incoming.url ?? "/").split(/\?(.*)/s, 2);
    const record: OpenRecord = {
      id: this.counts.identity + this.counts.foundry,
      server,
      method,
      path,
      ...(query ? { query } : {}),
      userAgent: redact(incoming.headers["user-agent"] ?? ""),
      at: this.#clock.now(),
      status: 0,
      aborted: false,
    };
    this.records.push(record);
    if (this.records.length > this.#limit) this.records.shift();
    return record;
  }

  /** Records the status when the response begins. */
  answered(record: OpenRecord, status: number): void {
    record.status = status;
    if (status === 401) this.counts.unauthorized += 1;
    record.durationMs = this.#clock.now() - record.at;
  }

  /** Records the end of the response or of the connection. */
  closed(record: OpenRecord, aborted: boolean): void {
    record.durationMs = this.#clock.now() - record.at;
    record.aborted = aborted;
  }
}
