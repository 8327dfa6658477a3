import { send } from "../wasm/send.js";
import type { AssertionCall, TokenCall } from "../wasm/types/identity.js";

/**
 * Sends a planned request with its secret. Rejects only when the signal aborts, and for TLS rules
 * that cannot be followed; see `send` of net.d.ts for the result.
 */
export async function sendCall(
  call: TokenCall | AssertionCall,
  secret: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<[status: number, body: string, ...headers: string[]]> {
  const request = { ...withSecret(call, secret), timeoutMs };
  const rules = "tls" in call ? call.tls : undefined;
  if (!rules) return send(request, undefined, signal);
  // Loaded only where `fetch` cannot follow the rules.
  const { sendByTls } = await import("./send-by-tls.js");
  return sendByTls(request, rules, signal);
}

function withSecret({ url, headers, form, secret }: TokenCall | AssertionCall, value: string) {
  const isField = secret?.name.startsWith("client_");
  return {
    url,
    headers: !secret || isField ? headers : { ...headers, [secret.name]: `${secret.prefix ?? ""}${value}` },
    body: isField ? `${form}&${secret?.name}=${encodeURIComponent(value)}` : form,
  };
}
