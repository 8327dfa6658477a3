// Written by `WRITE_TABLES=1 cargo test --test core codes` from src/retryable.rs.

import type { ErrorCode } from "./codes.js";

/** The codes of errors after which the same call may succeed later. */
export const RETRYABLE: readonly ErrorCode[] = [
  "agent/no-reply",
  "agent/session-open",
  "agent/timeout",
  "chat/authorize-timeout",
  "chat/caller-timeout",
  "chat/closing",
  "chat/overloaded",
  "chat/session-busy",
  "chat/timeout",
  "chat/too-many-turns",
  "chat/turn-lost",
  "credential/network",
  "credential/server-error",
  "credential/throttled",
  "model/first-byte-timeout",
  "model/network",
  "model/rate-limited",
  "model/request-failed",
  "model/server-error",
  "model/token-expired",
  "sdk/runtime-ended",
  "sdk/send-failed",
  "storage/lease-lost",
  "storage/unavailable",
  "token/not-renewed",
  "token/timeout",
];
