import type { IncomingMessage } from "node:http";
import { redact } from "../errors/redact.js";
import type { EmulatorClock } from "./clock.js";
import type { EmulatorServer, FaultKind } from "./faults.js";
import type { TokenClaims } from "./tokens.js";

/** What a request to the resource authenticated with. Never holds the token itself. */
export interface RequestAuthorization extends Partial<TokenClaims> {
  /** `bearer`, `api-key` (header `api-key` or `x-api-key`), `other` scheme, or `none`. */
  readonly scheme: "bearer" | "api-key" | "other" | "none";
  /**
   * What the resource thought of it. The claims beside it are there whenever the signature was good, so also for
   * `expired`, `revoked`, `wrong-audience` and `missing-role`.
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

/** One request, from the moment its head arrived. Fields after `at` settle while it is answered. */
export interface RequestRecord {
  /** 1 for the first request to either server, then counting up. */
  readonly id: number;
  readonly server: EmulatorServer;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Without the question mark; absent when there is none. */
  readonly query?: string;
  readonly userAgent: string;
  /** Epoch milliseconds by the emulator's clock. */
  readonly at: number;
  /** HTTP status; 0 while there is none, and for good when a fault never let one out. */
  readonly status: number;
  /** Milliseconds by the emulator's clock; absent until the answer is ready, final when all of it is sent. */
  readonly durationMs?: number;
  /** The connection ended before the whole answer was sent: the caller left, or a fault cut it. */
  readonly aborted: boolean;
  /** The fault that was applied. */
  readonly fault?: FaultKind;
  /** `uti` of the token that was handed out (identity) or sent along with a good signature (foundry). */
  readonly tokenId?: string;
  /** Foundry only. */
  readonly authorization?: RequestAuthorization;
}

/** Running totals since the start; they go on counting when old records leave the log. */
export interface RequestCounts {
  readonly identity: number;
  readonly foundry: number;
  /** Answers with status 401, of both servers. */
  readonly unauthorized: number;
}

/** A record while its request is answered. */
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

  /** Opens a record. */
  open(server: EmulatorServer, incoming: IncomingMessage): OpenRecord {
    this.counts[server] += 1;
    // A pasted token may stand in any of these; the log is printed by tests.
    const [path = "/", query] = redact(incoming.url ?? "/").split(/\?(.*)/s, 2);
    const record: OpenRecord = {
      id: this.counts.identity + this.counts.foundry,
      server,
      method: incoming.method ?? "",
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

  /** The status is known and the answer begins. */
  answered(record: OpenRecord, status: number): void {
    record.status = status;
    if (status === 401) this.counts.unauthorized += 1;
    record.durationMs = this.#clock.now() - record.at;
  }

  /** All of the answer is sent, or the connection is gone. */
  closed(record: OpenRecord, aborted: boolean): void {
    record.durationMs = this.#clock.now() - record.at;
    record.aborted = aborted;
  }
}
