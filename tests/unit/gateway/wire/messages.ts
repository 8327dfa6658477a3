// Reads requests and answers of HTTP/1.1 off a connection, byte for byte. It is strict: what it cannot
// read, a library made wrong.

/** A message as it came. */
export interface Message {
  /** Its first line. */
  line: string;
  /** The other lines of its head, as they are. */
  headers: string[];
  body: string;
  trailers: string[];
  /** Whether all of it came. */
  whole: boolean;
}

/** The value of a header. */
export function headerValue(headers: readonly string[], name: string): string | undefined {
  const found = headers.find((line) => line.toLowerCase().startsWith(`${name}:`));
  return found?.slice(name.length + 1).trim();
}

/**
 * Reads the message at the start of `bytes`, which are Latin-1. Returns it and what follows it, or
 * undefined while its head is not complete. `bodyless`: whether it answers HEAD. `isOver`: whether
 * nothing more will come.
 */
export function read(
  bytes: string,
  { isAnswer = false, bodyless = false, isOver = false } = {},
): { message: Message; rest: string } | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [line = "", ...headers] = bytes.slice(0, end).split("\r\n");
  const rest = bytes.slice(end + 4);
  const done = (body: string, after: string, whole = true, trailers: string[] = []) => {
    return { message: { line, headers, body, trailers, whole }, rest: after };
  };
  const status = isAnswer ? Number(line.split(" ")[1]) : 0;
  if (isAnswer && (bodyless || status < 200 || status === 204 || status === 304)) return done("", rest);
  if (headerValue(headers, "transfer-encoding") !== undefined) return readChunks(rest, done);
  const length = headerValue(headers, "content-length");
  if (length === undefined) return isAnswer ? done(rest, "", isOver) : done("", rest);
  const size = Number(length);
  return done(rest.slice(0, size), rest.slice(size), rest.length >= size);
}

function readChunks<T>(
  bytes: string,
  done: (body: string, rest: string, whole?: boolean, trailers?: string[]) => T,
): T {
  let body = "";
  let at = 0;
  for (;;) {
    const end = bytes.indexOf("\r\n", at);
    if (end < 0) return done(body, "", false);
    const size = Number.parseInt(bytes.slice(at, end), 16);
    if (Number.isNaN(size)) return done(`${body}[no chunk: ${bytes.slice(at, end)}]`, "", false);
    at = end + 2;
    if (size === 0) break;
    body += bytes.slice(at, at + size);
    if (bytes.length < at + size + 2) return done(body, "", false);
    at += size + 2;
  }
  const trailers: string[] = [];
  for (;;) {
    const end = bytes.indexOf("\r\n", at);
    if (end < 0) return done(body, "", false, trailers);
    const line = bytes.slice(at, end);
    at = end + 2;
    if (line === "") return done(body, bytes.slice(at), true, trailers);
    trailers.push(line);
  }
}
