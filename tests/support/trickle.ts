// Sends bodies byte by byte, and measures the memory that a handler needs for them.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Returns the memory for 20 bodies of 50,000 bytes that arrive in chunks of one byte, in MB. */
export async function costOfTrickles(send: (request: Request) => Promise<unknown>): Promise<number> {
  const used = () => {
    collect();
    const { heapUsed, arrayBuffers, external } = process.memoryUsage();
    return (heapUsed + arrayBuffers + external) / 1e6;
  };
  const before = used();
  const bodies = Array.from({ length: 20 }, () => trickle(50_000));
  const answers = bodies.map(({ body }) =>
    send(
      new Request("http://x/api/chat", {
        method: "POST",
        headers: { "content-type": "application/json" },
        ...{ body, duplex: "half" as const },
      }),
    ),
  );
  await Promise.all(bodies.map(({ received }) => received));
  const cost = used() - before;
  for (const { end } of bodies) end();
  await Promise.all(answers);
  return cost;
}

/** Creates a body of `bytes` chunks of one byte, which stays open until it is ended. */
function trickle(bytes: number) {
  let end = () => {};
  let sent = 0;
  let all = () => {};
  const received = new Promise<void>((resolve) => {
    all = resolve;
  });
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        end = () => controller.close();
        if (sent === bytes) return all();
        sent += 1;
        controller.enqueue(new Uint8Array(1));
      },
    },
    { highWaterMark: 0 },
  );
  return { body, received, end: () => end() };
}
