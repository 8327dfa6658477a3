import { KeylessError } from "../errors/keyless-error.js";
import { gatewayModule } from "../wasm/gateway-bindings.js";
import type { Dialect } from "../wasm/modules/gateway.js";

/** Headers that RFC 9110 requires for a status. */
const OF_A_STATUS: Record<number, Record<string, string>> = {
  401: { "www-authenticate": "Bearer" },
  405: { allow: "GET, HEAD, POST, PUT, PATCH, DELETE" },
  426: { upgrade: "HTTP/1.1" },
};

/** Returns the headers of an answer of the gateway's own, without its length. */
export function ownHeaders(status: number, body: string, retryAfterMs?: number): Record<string, string> {
  const seconds = retryAfterMs === undefined ? 1 : Math.max(1, Math.ceil(retryAfterMs / 1000));
  const isForLater = status === 429 || status === 503;
  return {
    ...(body === "" ? {} : { "content-type": "application/json" }),
    "cache-control": "no-store",
    ...(isForLater ? { "retry-after": `${seconds}` } : {}),
    ...(isForLater && retryAfterMs ? { "retry-after-ms": `${retryAfterMs}` } : {}),
    ...(status >= 400 ? { "x-should-retry": `${status === 429 || status >= 500}` } : {}),
    ...OF_A_STATUS[status],
  };
}

/** Returns the JSON body that explains an error: its message, and the next step. */
export function explanation(dialect: Dialect, status: number, { code, message, hint }: KeylessError): string {
  const text = hint === undefined ? message : `${message}${/[.!?]$/.test(message) ? "" : "."}\n${hint}`;
  return gatewayModule().errorBody(dialect, status, code, text);
}

/** Returns an error of this package. The text of another one may hold a secret. */
export function keyless(error: unknown): KeylessError {
  return error instanceof KeylessError
    ? error
    : new KeylessError("model/unknown", "The gateway failed", {
        hint: "Please report it, with the cause in the log.",
        cause: error,
      });
}
