import type { IncomingMessage, ServerResponse } from "node:http";
import { systemClock } from "../platform/clock.js";

/**
 * Passes the body of an answer on as it comes, and ends the client's answer with it. A slow client
 * pauses it. `write` passes a piece on and returns false if the client is slow. `onBroken` is called
 * if the body breaks off, also before this call, or pauses for longer than `idleMs`.
 */
export function relay(
  response: IncomingMessage,
  client: ServerResponse,
  idleMs: number,
  { write, onBroken }: { write: (chunk: Buffer) => boolean; onBroken: () => void },
): void {
  // Only the resource's own silence counts, not that of a slow client.
  const silent = () => {
    if (client.writableNeedDrain) idle.refresh();
    else response.destroy();
  };
  const idle = systemClock.setTimeout(silent, idleMs) as NodeJS.Timeout;
  const goOn = () => response.resume();
  const onClose = () => {
    systemClock.clearTimeout(idle);
    if (response.complete && response.readableEnded) client.end();
    else onBroken();
  };
  response
    .on("data", (chunk: Buffer) => {
      idle.refresh();
      if (write(chunk)) return;
      response.pause();
      client.once("drain", goOn);
    })
    .on("end", () => client.end())
    .on("close", onClose);
  if (response.closed) onClose();
  else response.resume();
}
