import { send } from "../wasm/send.js";
import type { TokenCall } from "../wasm/types/identity.js";
import { unobserved } from "./attempts.js";

/**
 * Sends a planned request with its secret. Rejects only when the signal aborts, and for TLS rules
 * that cannot be followed; see `send` of net.d.ts for the result.
 */
export async function sendCall(
  call: TokenCall,
  secret: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<[status: number, body: string, ...headers: string[]]> {
  const request = { ...withSecret(call, secret), timeoutMs };
  if (!call.tls && !(isNode() && call.url.startsWith("http:"))) return send(request, undefined, signal);
  const { sendByNode } = await import("./send-by-node.js");
  return unobserved(() => sendByNode(request, call.tls, signal));
}

/** Whether this is Node itself: the `node:http` of others is made of their `fetch`. */
function isNode(): boolean {
  const { versions = {} } = globalThis.process ?? {};
  return "uv" in versions && !("bun" in versions || "deno" in versions);
}

function withSecret({ url, headers, form, secret }: TokenCall, value: string) {
  const isField = secret?.name.startsWith("client_");
  return {
    url,
    headers: !secret || isField ? headers : { ...headers, [secret.name]: `${secret.prefix ?? ""}${value}` },
    body: isField ? `${form}&${secret?.name}=${encodeURIComponent(value)}` : form,
  };
}
