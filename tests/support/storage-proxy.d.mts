import type { Azurite } from "./azurite.mjs";

/** What a request to the storage is for. */
export type StorageCall =
  | "create"
  | "acquire"
  | "renew"
  | "release"
  | "begin"
  | "commit"
  | "tell"
  | "append"
  | "read"
  | "age"
  | "delete"
  | "other";

/** What becomes of a request: an answer in place of the storage's, a wait before it, a lost answer. */
export type StorageFault =
  | { status: number; retryAfter?: number }
  | { delayMs: number }
  | { loseAnswer: true }
  | undefined;

/** Stands between workers and Azurite. */
export interface StorageProxy {
  account: string;
  /** The requests so far, in order. */
  calls: StorageCall[];
  /** The bytes that the workers sent. */
  bytes: number;
  /** Chooses what becomes of each request. */
  fault: (call: StorageCall) => StorageFault;
  stop(): Promise<void>;
}

/** Starts it with Azurite's certificate. */
export function startStorageProxy(azurite: Azurite): Promise<StorageProxy>;
