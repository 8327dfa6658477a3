import { systemClock } from "../platform/clock.js";
import type { Answer, ConversationBlobs, Patience } from "./blobs.js";
import type { FileChange } from "./files.js";
import { endLines, SessionLog } from "./log.js";

// An append blob takes 50,000 blocks. Before that its files are written to a block blob, the log is
// emptied in one request that names that blob, and the files are appended to it again. A worker that
// dies in between leaves a log that is read together with the block blob.

/** Empties the log, under its lease. A failure leaves a conversation that can be read. */
export async function rollOver(
  blobs: ConversationBlobs,
  leaseId: string,
  files: readonly FileChange[],
  ended: string[],
  patience: Patience,
): Promise<void> {
  const base = crypto.randomUUID();
  const lines = endLines({ turn: base, attempt: 0, at: systemClock.now(), ended }, files);
  if ((await blobs.writeBase(base, Buffer.concat(lines), patience)).reply !== "done") return;
  if ((await blobs.restart(base, leaseId, patience)).reply !== "done") return;
  let at = 0;
  for (const line of lines) {
    const answer = await blobs.append(line, { leaseId, at }, { ...patience, once: true });
    if (answer.reply !== "done") return;
    at = answer.value.end;
  }
  await blobs.removeBase(base, patience);
}

/**
 * Reads a log that was emptied: with the block blob unless its files are in the log again. Resolves
 * with whether it was needed.
 */
export async function importBase(
  blobs: ConversationBlobs,
  base: string,
  bytes: Buffer,
  log: SessionLog,
  patience: Patience,
): Promise<Answer<boolean>> {
  const alone = new SessionLog(() => 0);
  alone.read(bytes);
  const isSplit = !alone.hasEnded(base);
  if (isSplit) {
    const answer = await blobs.readBase(base, patience);
    if (answer.reply !== "done") return answer;
    log.read(answer.value);
  }
  log.read(bytes);
  return { reply: "done", value: isSplit };
}
