import { decoded } from "./inlined.js";
import * as bindings from "./wasm/net.js";
import wasm from "./wasm/net-inline.js";

let ready: Promise<typeof bindings> | undefined;

/** The bindings of the module that sends requests. It is large, so this file is imported when the first one is to be sent. */
export function net(): Promise<typeof bindings> {
  ready ??= start();
  return ready;
}

async function start(): Promise<typeof bindings> {
  bindings.initSync({ module: await inflated(decoded(wasm)) });
  return bindings;
}

/** The core cannot be compressed, because its functions are synchronous; here it spares three fifths of the size on disk. */
async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
