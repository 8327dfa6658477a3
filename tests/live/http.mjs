// Sends one request with a deadline, and keeps what a check needs of the response.

/** More than any response of a check; the rest is left unread. */
const LONGEST_BODY = 256 * 1024;

/**
 * Sends a request: `POST` with a body, else `GET`. Follows no redirect, so a token reaches no other
 * host. Without a response the status is 0 and the body is the network's message. Rejects only when
 * `signal` aborts.
 *
 * `skewMs` is how far the server's clock is ahead of this machine's, by its `Date`; within a second.
 */
export async function send({ url, headers = {}, body, timeoutMs, signal }) {
  const deadline = AbortSignal.timeout(timeoutMs);
  const sent = Date.now();
  try {
    const response = await fetch(url, {
      method: body === undefined ? "GET" : "POST",
      headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "manual",
      signal: AbortSignal.any([signal, deadline]),
    });
    const came = Date.now();
    const date = Date.parse(response.headers.get("date") ?? "");
    // The header is rounded down to a second.
    const skewMs = Number.isNaN(date) ? undefined : date + 500 - (sent + came) / 2;
    return { status: response.status, headers: response.headers, body: await read(response), skewMs };
  } catch (error) {
    signal.throwIfAborted();
    const message = deadline.aborted ? `no answer within ${timeoutMs} ms` : networkMessage(error);
    return { status: 0, headers: new Headers(), body: message, skewMs: undefined };
  }
}

async function read(response) {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > LONGEST_BODY) break;
  }
  return text;
}

function networkMessage(error) {
  const cause = error.cause ?? error;
  return `${cause.message || error.message}${cause.code ? ` (${cause.code})` : ""}`;
}

/** Parses a body. Undefined if it is no JSON object. */
export function jsonOf(body) {
  try {
    const value = JSON.parse(body);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the form of a JSON object: its keys, two levels deep, without values. */
export function formOf(body) {
  const value = jsonOf(body);
  if (!value) return body === "" ? "no body" : "no JSON object";
  const keys = (object, depth) =>
    Object.entries(object).map(([key, inner]) =>
      depth > 0 && typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? `${key}: {${keys(inner, depth - 1).join(", ")}}`
        : key,
    );
  return `{${keys(value, 1).join(", ")}}`;
}

/** Returns the events of a stream: the name and data of each. */
export function eventsOf(text) {
  return text
    .split(/\r?\n\r?\n/)
    .map((block) => ({
      event: /^event: ?(.*)$/m.exec(block)?.[1]?.trim(),
      data: [...block.matchAll(/^data: ?(.*)$/gm)].map(([, line]) => line).join("\n"),
    }))
    .filter(({ data }) => data !== "");
}
