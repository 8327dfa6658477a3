import type { AppendBlobClient, ContainerClient, RestError } from "@azure/storage-blob";
import { isKeylessError, KeylessError } from "../errors/keyless-error.js";
import { systemClock } from "../platform/clock.js";
import { leaseModule } from "../wasm/lease-bindings.js";
import type { StorageReply } from "../wasm/modules/lease.js";
import { storageRefused, unreadable } from "./errors.js";

/** How long one attempt may take, in milliseconds. */
const ATTEMPT_MS = 8_000;

/** What came of a request. */
export type Answer<T> =
  | { reply: "done"; value: T }
  | { reply: Exclude<StorageReply, "done" | "no-container" | "refused" | "failed">; error: unknown };

/** Whether a request may be sent again, and until when, on the monotonic clock. */
export interface Patience {
  until: number;
  /** Only one attempt: the caller repeats it. */
  once?: boolean;
}

/** A blob of a conversation's log, as it was read. */
export interface ReadLog {
  bytes: Buffer;
  /** The number of the blob that the log begins in, if it was rolled over. */
  base: string | undefined;
}

/** The version of the log's format, in its metadata. */
const VERSION = "1";

/**
 * The blobs of one conversation: an append blob with its log, which has the lease, and for a while
 * after a roll-over a block blob. Requests that may succeed later are sent again.
 */
export class ConversationBlobs {
  readonly #container: ContainerClient;
  readonly #path: string;
  readonly #log: AppendBlobClient;

  constructor(container: ContainerClient, path: string) {
    this.#container = container;
    this.#path = path;
    this.#log = container.getAppendBlobClient(`${path}/log`);
  }

  /** Creates the log. `exists` if there is one. */
  create(patience: Patience): Promise<Answer<unknown>> {
    return send(patience, (abortSignal) =>
      this.#log.create({
        abortSignal,
        conditions: { ifNoneMatch: "*" },
        metadata: { version: VERSION },
      }),
    );
  }

  /** Takes the lease under an id of the caller's own. Resolves with the age of the log. */
  acquire(leaseId: string, seconds: number, patience: Patience): Promise<Answer<{ ageMs: number }>> {
    return send(patience, async (abortSignal) => {
      const lease = this.#log.getBlobLeaseClient(leaseId);
      return { ageMs: ageOf(await lease.acquireLease(seconds, { abortSignal })) };
    });
  }

  renew(leaseId: string, patience: Patience): Promise<Answer<unknown>> {
    return send(patience, (abortSignal) => this.#log.getBlobLeaseClient(leaseId).renewLease({ abortSignal }));
  }

  release(leaseId: string, patience: Patience): Promise<Answer<unknown>> {
    return send(patience, (abortSignal) =>
      this.#log.getBlobLeaseClient(leaseId).releaseLease({ abortSignal }),
    );
  }

  /** Appends bytes, at the given end of the log if there is one. Resolves with the new end. */
  append(
    bytes: Buffer,
    { leaseId, at }: { leaseId: string | undefined; at?: number | undefined },
    patience: Patience,
  ): Promise<Answer<{ from: number; end: number; blocks: number }>> {
    return send(patience, async (abortSignal) => {
      const conditions = {
        ...(leaseId === undefined ? {} : { leaseId }),
        ...(at === undefined ? {} : { appendPosition: at }),
      };
      const done = await this.#log.appendBlock(bytes, bytes.length, { abortSignal, conditions });
      const from = Number(done.blobAppendOffset);
      return { from, end: from + bytes.length, blocks: done.blobCommittedBlockCount ?? 0 };
    });
  }

  read(patience: Patience): Promise<Answer<ReadLog>> {
    return send(patience, async (abortSignal) => {
      const { readableStreamBody, metadata } = await this.#log.download(0, undefined, {
        abortSignal,
        maxRetryRequests: 0,
      });
      const { version, base } = metadata ?? {};
      if (version !== VERSION) throw unreadable();
      return { bytes: await bytesOf(readableStreamBody), base };
    });
  }

  /** How long ago the log was written to, by the storage's clock. */
  async age(patience: Patience): Promise<number> {
    const answer = await send(patience, (abortSignal) => this.#log.getProperties({ abortSignal }));
    return answer.reply === "done" ? ageOf(answer.value) : 0;
  }

  /** Empties the log, which then begins in the block blob of this number. */
  restart(base: string, leaseId: string, patience: Patience): Promise<Answer<unknown>> {
    return send(patience, (abortSignal) =>
      this.#log.create({
        abortSignal,
        conditions: { leaseId },
        metadata: { version: VERSION, base },
      }),
    );
  }

  /** Writes a block blob, once. */
  writeBase(base: string, bytes: Buffer, patience: Patience): Promise<Answer<unknown>> {
    return send(patience, (abortSignal) =>
      this.#base(base).upload(bytes, bytes.length, { abortSignal, conditions: { ifNoneMatch: "*" } }),
    );
  }

  readBase(base: string, patience: Patience): Promise<Answer<Buffer>> {
    return send(patience, async (abortSignal) =>
      bytesOf(
        (await this.#base(base).download(0, undefined, { abortSignal, maxRetryRequests: 0 }))
          .readableStreamBody,
      ),
    );
  }

  removeBase(base: string, patience: Patience): Promise<Answer<unknown>> {
    return send(patience, (abortSignal) => this.#base(base).delete({ abortSignal }));
  }

  remove(leaseId: string | undefined, patience: Patience): Promise<Answer<unknown>> {
    const conditions = leaseId === undefined ? {} : { leaseId };
    return send(patience, (abortSignal) => this.#log.delete({ abortSignal, conditions }));
  }

  #base(base: string) {
    return this.#container.getBlockBlobClient(`${this.#path}/base-${base}`);
  }
}

/**
 * Sends a request, again if it may succeed later and there is time. Resolves with what the storage
 * said.
 *
 * @throws KeylessError `storage/container-not-found`, `storage/refused`, `storage/failed`, and the
 *   errors of the token
 */
export async function send<T>(
  { until, once = false }: Patience,
  call: (abortSignal: AbortSignal) => Promise<T>,
): Promise<Answer<T>> {
  const { replyOf, retryWaitMs } = leaseModule();
  for (let attempt = 0; ; attempt += 1) {
    const left = until - systemClock.monotonic();
    try {
      return { reply: "done", value: await withinAttempt(Math.min(ATTEMPT_MS, Math.max(left, 1)), call) };
    } catch (error) {
      if (isKeylessError(error)) throw error;
      const { status, code, said, retryAfterMs } = whatWasSaid(error);
      const reply = replyOf(status, code);
      if (reply === "no-container" || reply === "refused" || reply === "failed")
        throw storageRefused(reply, said, error);
      if (reply !== "again" || once) return { reply: reply === "done" ? "again" : reply, error };
      const wait = retryWaitMs(
        attempt,
        systemClock.random(),
        retryAfterMs,
        Math.max(0, until - systemClock.monotonic()),
      );
      if (wait === undefined) return { reply, error };
      await new Promise<void>((next) => systemClock.setTimeout(next, wait));
    }
  }
}

async function withinAttempt<T>(ms: number, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const attempt = new AbortController();
  const timer = systemClock.setTimeout(() => attempt.abort(), ms);
  try {
    return await call(attempt.signal);
  } finally {
    systemClock.clearTimeout(timer);
  }
}

/** Status, code and words of a failed request. Status 0: no answer came. */
export function whatWasSaid(error: unknown) {
  const { statusCode, code, details, message, response } = error as Partial<RestError> & {
    details?: { errorCode?: string };
  };
  const status = typeof statusCode === "number" ? statusCode : 0;
  const name = details?.errorCode ?? (status === 0 ? (code ?? "no answer") : (code ?? ""));
  const [first = ""] = String(message ?? error).split("\n");
  const seconds = Number(response?.headers.get("retry-after"));
  return {
    status,
    code: status === 0 ? "" : name,
    said: status === 0 ? `no answer (${first})` : `${status} ${name}`,
    retryAfterMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined,
  };
}

/** How long ago a blob was written to, by the storage's clock. */
function ageOf({ lastModified, date }: { lastModified?: Date; date?: Date }): number {
  return lastModified && date ? Math.max(0, date.getTime() - lastModified.getTime()) : 0;
}

/** Reads a body to its end. */
async function bytesOf(body: NodeJS.ReadableStream | undefined): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of body ?? []) pieces.push(Buffer.from(piece as Uint8Array));
  return Buffer.concat(pieces);
}

/** Imports the client library of the storage. */
export async function loadStorage(): Promise<typeof import("@azure/storage-blob")> {
  try {
    return await import("@azure/storage-blob");
  } catch (cause) {
    throw new KeylessError("storage/not-installed", "@azure/storage-blob is not installed", {
      hint: "Run `npm install @azure/storage-blob`.",
      cause,
    });
  }
}
