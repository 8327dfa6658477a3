// The rows of the comparison: what a client sends, and what the resource answers. What comes of it is
// in outcomes.ts.

import { gzipSync } from "node:zlib";
import { KEY } from "../support.js";
import type { Sent } from "./client.js";
import { OK, type Play, plain } from "./resource.js";

export interface Row extends Sent {
  name: string;
  /** What the resource answers to the requests in turn; the last goes on. */
  plays: readonly Play[];
  /** Whether it needs gateways of its own: what happens to a token is remembered. */
  alone?: boolean;
}

const PATH = "/openai/v1/responses";
const HOST = "Host: 127.0.0.1";
const OWN_KEY = `api-key: ${KEY}`;
const lines = (...all: readonly string[]) => `${all.join("\r\n")}\r\n\r\n`;

/** The head of a request with the key, after which the connection ends. */
const head = (line: string, ...headers: readonly string[]) =>
  lines(`${line} HTTP/1.1`, HOST, OWN_KEY, "Connection: close", ...headers);
const get = (target = PATH, ...headers: readonly string[]) => head(`GET ${target}`, ...headers);
const post = (body: string, ...headers: readonly string[]) =>
  head(`POST ${PATH}`, `Content-Length: ${body.length}`, ...headers) + body;
/** A request after which the connection stays. */
const staying = (line: string, ...headers: readonly string[]) =>
  lines(`${line} HTTP/1.1`, HOST, OWN_KEY, ...headers);
const chunked = (body: string, ...headers: readonly string[]) =>
  head(`POST ${PATH}`, "Transfer-Encoding: chunked", ...headers) + body;
const CHUNKS = "2\r\n{}\r\n0\r\n\r\n";
const many = (count: number, size = 1) =>
  Array.from({ length: count }, (_, index) => `X-${index}: ${"v".repeat(size)}`);
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

const OK_TO_HEAD: Play = {
  send: [lines("HTTP/1.1 200 OK", "Content-Type: text/plain", "Content-Length: 2")],
};

type Given = Partial<Row>;
const rows: Row[] = [];

/** Adds a row. */
function row(name: string, send: string | Sent["send"], given: Given = {}): void {
  const pieces = typeof send === "string" ? [send] : send;
  const usual = /^HEAD /.test(`${pieces[0]}`) ? [OK_TO_HEAD, OK] : [OK];
  rows.push({ name, send: pieces, plays: usual, ...given });
}

// Targets.
for (const target of [
  "/openai/v1/models",
  "/openai/v1/models/",
  "/v1/models",
  "/models",
  "/openai/models?api-version=2024-10-21",
  "/openai/v1/models?api-version=preview",
  "/openai/v1/./models",
  "/openai/v1/%2e/models",
  "/openai/v1/x/../models",
  "/openai/v1/x/%2E%2e/models",
  "/openai/v1/models/..",
  "/openai/v1/models/.",
  "/openai/v1/...",
  "/openai//v1/models",
  "/openai/v1//models",
  "/openai/v1/models//",
  "//127.0.0.1/openai/v1/models",
  "/openai/v1/files/a%20b",
  "/openai/v1/files/%C3%A9",
  "/openai/v1/files/%c3",
  "/openai/v1/files/\xe9",
  "/openai/v1/files/\xc3\xa9",
  "/openai/v1/files/a;b=1",
  "/openai/v1/files/a%3Bb",
  "/openai/v1/files/a%zz",
  "/openai/v1/files/a%",
  "/openai/v1/files/a%00",
  "/openai/v1/files/a%25b",
  "/openai/v1/files/a%3fb",
  "/openai/v1/files/a%0d%0ab",
  "/openai/v1/files/a'b!$&()*+,:@=~",
  "/openai/v1/files/a|b",
  "/openai/v1/files/[a]",
  "/openai/v1/files/{a}",
  '/openai/v1/files/"a"',
  "/openai/v1/files/<a>",
  "/openai/v1/files/a^b",
  "/openai/v1/files/a`b",
  "/openai/v1/files/a\\b",
  "/openai/v1/files/a b",
  "/openai/v1/files/a\tb",
  "/openai/v1/files/a\x7fb",
  "/openai/v1/files/a#b",
  "/openai/v1/models?",
  "/openai/v1/models?a",
  "/openai/v1/models?a=b?c",
  "/openai/v1/models?a=%zz",
  "/openai/v1/models?a=|{}[]",
  "/openai/v1/models?a='b'",
  '/openai/v1/models?a="b"',
  "/openai/v1/models?a=<b>",
  "/openai/v1/models?a=\xe9",
  "/openai/v1/models?a=b#c",
  "/openai/v1/models?a=b\\c",
  "/openai/v1/models?a=../../b",
  "/openai/v1/models?a=%00",
  "/openai/v1/models?a=1&a=2&&=",
  "http://127.0.0.1/openai/v1/models",
  "http://localhost:1/openai/v1/models?a=b",
  "HTTP://127.0.0.1/openai/v1/models",
  "http://127.0.0.1",
  "http://127.0.0.1?a",
  "http://user@127.0.0.1/openai/v1/models",
  "https://127.0.0.1/openai/v1/models",
  "openai/v1/models",
  "127.0.0.1:1",
  "*",
  "?a",
  "/",
  "/?a",
  "/%6fpenai/v1/models",
  "/OPENAI/V1/models",
  "/anthropic/v1/models",
  "/anthropic//v1/models",
  "/healthz",
  "/healthz?a",
  "/healthz/",
  "/openai",
])
  row(`GET ${JSON.stringify(target)}`, get(target));
row("OPTIONS *", head("OPTIONS *"));
row("a query of 8 KB", get(`/openai/v1/models?a=${"b".repeat(8_000)}`));
row("a query of 20 KB", get(`/openai/v1/models?a=${"b".repeat(20_000)}`));
row("a query of 40 KB", get(`/openai/v1/models?a=${"b".repeat(40_000)}`));
row("a path of 8 KB", get(`/openai/v1/files/${"b".repeat(8_000)}`));
row("a path of 500 segments", get(`/openai/v1/files${"/a".repeat(500)}`));

// Methods.
for (const method of [
  "HEAD",
  "DELETE",
  "POST",
  "PUT",
  "PATCH",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
  "QUERY",
  "get",
  "FOO",
  "M-SEARCH",
  "G@T",
])
  row(`${method} without a body`, head(`${method} ${PATH}`));
for (const method of ["GET", "HEAD", "DELETE", "PUT", "OPTIONS"]) {
  row(`${method} with a body`, `${head(`${method} ${PATH}`, "Content-Length: 2")}{}`);
  row(`${method} with chunks`, head(`${method} ${PATH}`, "Transfer-Encoding: chunked") + CHUNKS);
}
for (const target of ["/", "/openai", "/anthropic", "/anthropic/v1", "/v1", "/healthz", "/nope"])
  row(`HEAD ${target} without a key`, lines(`HEAD ${target} HTTP/1.1`, HOST, "Connection: close"));

// Versions and first lines.
row("HTTP/1.0", lines(`GET ${PATH} HTTP/1.0`, HOST, OWN_KEY));
row("HTTP/1.0 without Host", lines(`GET ${PATH} HTTP/1.0`, OWN_KEY));
row("HTTP/1.0 with a body", `${lines(`POST ${PATH} HTTP/1.0`, HOST, OWN_KEY, "Content-Length: 2")}{}`);
row(
  "HTTP/1.0 with chunks",
  lines(`POST ${PATH} HTTP/1.0`, HOST, OWN_KEY, "Transfer-Encoding: chunked") + CHUNKS,
);
row("HTTP/1.0 that stays", lines(`GET ${PATH} HTTP/1.0`, HOST, OWN_KEY, "Connection: keep-alive").repeat(2), {
  answers: 2,
});
row("HTTP/1.0 for an answer of chunks", lines(`GET ${PATH} HTTP/1.0`, HOST, OWN_KEY), {
  plays: [{ send: ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"] }],
});
for (const version of ["HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.10", "HTTPS/1.1", "HTTP/1"])
  row(`the version ${version}`, lines(`GET ${PATH} ${version}`, HOST, OWN_KEY, "Connection: close"));
row("no version", "GET /openai/v1/responses\r\n\r\n");
row("two spaces after the method", lines(`GET  ${PATH} HTTP/1.1`, HOST, OWN_KEY, "Connection: close"));
row("two spaces before the version", lines(`GET ${PATH}  HTTP/1.1`, HOST, OWN_KEY, "Connection: close"));
row("a space before the method", lines(` GET ${PATH} HTTP/1.1`, HOST, OWN_KEY, "Connection: close"));
row("a space after the version", lines(`GET ${PATH} HTTP/1.1 `, HOST, OWN_KEY, "Connection: close"));
row("an empty line before", `\r\n${get()}`);
row("five empty lines before", `${"\r\n".repeat(5)}${get()}`);
row("bare line feeds", get().replaceAll("\r\n", "\n"));
row("a bare line feed in a later piece", [
  `GET ${PATH} HTTP/1.1\r\n${HOST}\r\n${OWN_KEY}\r\n`,
  50,
  "A: b\nB: c\r\n\r\n",
]);
row("bare carriage returns", `${get().replaceAll("\r\n", "\r")}\r\n\r\n`);
row("a hello of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n");
row("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
row("no HTTP", "hello\r\n\r\n");
row(
  "an upgrade to HTTP/2",
  get(PATH, "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__").replace("close", "Upgrade, HTTP2-Settings"),
  { answers: 1 },
);

// Host.
for (const host of [
  "",
  "localhost",
  "LOCALHOST",
  "127.0.0.1:1",
  "127.0.0.1:",
  "127.0.0.1:99999",
  "127.0.0.1:123456",
  "127.0.0.1:x",
  "[::1]:1",
  "[::1]",
  "::1",
  "user@127.0.0.1",
  "127.0.0.1, 127.0.0.1",
  "127.0.0.1/x",
  "127.1",
  "2130706433",
  "localhost.",
  "evil.example",
  "\xe9",
  "127.0.0.1 evil",
])
  row(
    `Host: ${JSON.stringify(host)}`,
    lines(`GET ${PATH} HTTP/1.1`, `Host: ${host}`, OWN_KEY, "Connection: close"),
  );
row("the same Host twice", lines(`GET ${PATH} HTTP/1.1`, HOST, HOST, OWN_KEY, "Connection: close"));
row(
  "a Host other than that of the target",
  lines("GET http://127.0.0.1/openai/v1/models HTTP/1.1", "Host: evil.example", OWN_KEY, "Connection: close"),
);
row("healthz for any Host", lines("GET /healthz HTTP/1.1", "Host: 10.0.0.7", "Connection: close"));

// How long a body is.
for (const coding of [
  "Chunked",
  "CHUNKED",
  "identity",
  "",
  ", chunked",
  "chunked,",
  "chunked;q=1",
  '"chunked"',
  "chunked\x0b",
  "gzip",
  "\tchunked ",
])
  row(
    `Transfer-Encoding: ${JSON.stringify(coding)}`,
    head(`POST ${PATH}`, `Transfer-Encoding: ${coding}`) + CHUNKS,
  );
for (const length of [
  "02",
  "2 ",
  "\t2",
  "0x2",
  "2,2",
  "2, 2",
  "-2",
  "",
  "2.0",
  "2e0",
  "99999999999999999999",
  "18446744073709551615",
  "9007199254740993",
  "2;",
])
  row(`Content-Length: ${JSON.stringify(length)}`, `${head(`POST ${PATH}`, `Content-Length: ${length}`)}{}`);
row("a length of 200 digits", `${head(`POST ${PATH}`, `Content-Length: ${"0".repeat(199)}2`)}{}`);
row("the same length twice", `${head(`POST ${PATH}`, "Content-Length: 2", "Content-Length: 2")}{}`);
row(
  "chunks, then a length",
  `${head(`POST ${PATH}`, "Transfer-Encoding: chunked", "Content-Length: 2")}${CHUNKS}`,
);
row("a space after the name of a length", `${head(`POST ${PATH}`, "Content-Length : 2")}{}`);
row("neither length nor chunks", `${head(`POST ${PATH}`)}{}`);
row("a length of 0", head(`POST ${PATH}`, "Content-Length: 0"));
for (const [name, body] of [
  ["chunks in two pieces", "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"],
  ["no chunk", "0\r\n\r\n"],
  ["a size in capitals", "A\r\n0123456789\r\n0\r\n\r\n"],
  ["a size with zeros", "0002\r\n{}\r\n000\r\n\r\n"],
  ["a size of 200 digits", `${"0".repeat(199)}2\r\n{}\r\n0\r\n\r\n`],
  ["a size of 30 digits", `${"0".repeat(29)}2\r\n{}\r\n0\r\n\r\n`],
  ["an extension", "2;a=b\r\n{}\r\n0;c\r\n\r\n"],
  ["an extension of 20 KB", `2;a=${"b".repeat(20_000)}\r\n{}\r\n0\r\n\r\n`],
  ["a size with a space behind", "2 \r\n{}\r\n0\r\n\r\n"],
  ["a size with a space before", " 2\r\n{}\r\n0\r\n\r\n"],
  ["a negative size", "-2\r\n{}\r\n0\r\n\r\n"],
  ["a size with 0x", "0x2\r\n{}\r\n0\r\n\r\n"],
  ["no size", "\r\n{}\r\n0\r\n\r\n"],
  ["a chunk that is longer", "2\r\n{}x\r\n0\r\n\r\n"],
  ["line feeds alone", "2\n{}\n0\n\n"],
  ["a line feed in an extension", "2;a\nb\r\n{}\r\n0\r\n\r\n"],
  ["trailers", "2\r\n{}\r\n0\r\nX-Trailer: 1\r\n\r\n"],
  [
    "trailers that are headers",
    `2\r\n{}\r\n0\r\napi-key: wrong\r\nContent-Length: 9\r\nHost: evil.example\r\n\r\n`,
  ],
  ["40 KB of trailers", `2\r\n{}\r\n0\r\n${many(40, 1_000).join("\r\n")}\r\n\r\n`],
  ["a trailer without a colon", "2\r\n{}\r\n0\r\nX\r\n\r\n"],
] as const)
  row(`chunks: ${name}`, chunked(body));

// Headers.
for (const count of [60, 95, 99, 120, 300, 1_000, 2_500]) row(`${count} headers`, get(PATH, ...many(count)));
for (const size of [8_000, 16_000, 30_000, 33_000, 70_000])
  row(`a header of ${size} bytes`, get(PATH, `X-A: ${"a".repeat(size)}`));
row("a name of 1,000 bytes", get(PATH, `X-${"a".repeat(1_000)}: 1`));
for (const line of [
  "X A: 1",
  "X@A: 1",
  "(X): 1",
  ": 1",
  "X",
  "X:",
  "X:1",
  "X:  1  ",
  "X: a\tb",
  "X: \xe9",
  "X: \xc3\xa9",
  "X: a\x7fb",
  "X: a\x01b",
  "X: a\rb",
  "X\xe9: 1",
  "X_a: 1",
  "X.a: 1",
  "X: 1\r\nx: 2",
  "Cookie: a=1\r\nCookie: b=2",
  "Accept: a/b\r\nAccept: c/d",
  "Accept-Encoding: br",
  "Accept-Language: de",
  "User-Agent: one",
  "Content-Type: nonsense",
  "Content-Type: a/b\r\nContent-Type: c/d",
  'If-None-Match: "a"',
  "Range: bytes=0-1",
  "Referer: http://127.0.0.1/",
  "Cache-Control: no-cache",
  "Pragma: no-cache",
  "Date: Tue, 15 Nov 1994 08:12:31 GMT",
  "Via: 1.1 one",
  "Forwarded: for=1.2.3.4",
  "X-Forwarded-Host: evil.example",
  "X-HTTP-Method-Override: DELETE",
  "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  "x-ms-client-request-id: 1",
  "Sec-Fetch-Site: none",
  "Sec-Fetch-Mode: navigate",
  "Origin: ",
  "Origin: http://127.0.0.1",
  "Access-Control-Request-Method: POST",
  "__proto__: 1",
  "constructor: 1",
])
  row(`a header ${JSON.stringify(line)}`, get(PATH, line));

// Headers of one connection.
for (const [named, ...headers] of [
  ["X-Hop", "X-Hop: 1"],
  ["x-HOP , X-Other", "X-Hop: 1", "X-Other: 1", "X-Third: 1"],
  ["api-key"],
  ["host"],
  ["content-type", "Content-Type: application/json"],
  ["authorization", "Authorization: Bearer x"],
  ["accept", "Accept: a/b"],
  ["user-agent", "User-Agent: one"],
  ["", "X-Hop: 1"],
  [",,X-Hop,", "X-Hop: 1"],
  ['"X-Hop"', "X-Hop: 1"],
] as const)
  row(
    `Connection: close, ${named}`,
    get(PATH, ...headers).replace("Connection: close", `Connection: close, ${named}`),
  );
row("two Connection headers", get(PATH, "Connection: X-Hop", "X-Hop: 1"));
row(
  "a length that Connection names",
  post("{}").replace("Connection: close", "Connection: close, content-length"),
);
row(
  "chunks that Connection names",
  chunked(CHUNKS).replace("Connection: close", "Connection: close, transfer-encoding"),
);
for (const line of [
  "Keep-Alive: timeout=5",
  "Proxy-Connection: keep-alive",
  "Proxy-Authorization: Basic x",
  "Proxy-Authenticate: Basic",
  "TE: trailers",
  "TE: gzip",
  "Trailer: X-Trailer",
  "Upgrade: foo",
  "HTTP2-Settings: x",
])
  row(`a header of the connection: ${line}`, get(PATH, line));
for (const value of ["websocket", "WebSocket", "h2c, websocket", "foo"])
  row(
    `an upgrade to ${value}`,
    get(PATH, `Upgrade: ${value}`, "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 13").replace(
      "close",
      "Upgrade",
    ),
    { answers: 1 },
  );
row("a POST that upgrades", post("{}", "Upgrade: websocket").replace("close", "Upgrade"), { answers: 1 });
row(
  "a websocket with the key as a subprotocol",
  lines(
    `GET ${PATH} HTTP/1.1`,
    HOST,
    "Connection: Upgrade",
    "Upgrade: websocket",
    `Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.${KEY}`,
  ),
  { answers: 1 },
);

// Expect.
const expecting = (...more: readonly string[]) =>
  head(`POST ${PATH}`, "Content-Length: 2", "Expect: 100-continue", ...more);
row("Expect: 100-continue, with the body", `${expecting()}{}`);
row("Expect: 100-continue, the body later", [expecting(), 50, "{}"]);
row("Expect: 100-Continue", [expecting().replace("100-continue", "100-Continue"), 50, "{}"]);
row("Expect with a wrong key", expecting().replace(KEY, "wrong"));
row("Expect without a body", get(PATH, "Expect: 100-continue"));
row("Expect with chunks", [chunked("", "Expect: 100-continue"), 50, CHUNKS]);
row("Expect of something else", `${expecting().replace("100-continue", "200-ok")}{}`);
row(
  "Expect in HTTP/1.0",
  `${lines(`POST ${PATH} HTTP/1.0`, HOST, OWN_KEY, "Content-Length: 2", "Expect: 100-continue")}{}`,
);
row("Expect behind a slow answer", `${staying(`GET ${PATH}`)}${expecting()}{}`, {
  plays: [
    { send: [200, plain("200 OK", ["Content-Type: text/plain"])] },
    { send: [plain("200 OK", ["Content-Type: text/plain"], "v".repeat(60))] },
  ],
});

// Keys.
const keyed = (target: string, ...headers: readonly string[]) =>
  lines(`GET ${target} HTTP/1.1`, HOST, "Connection: close", ...headers);
for (const [name, target, ...headers] of [
  ["none", PATH],
  ["Bearer", PATH, `Authorization: Bearer ${KEY}`],
  ["bearer", PATH, `authorization: bearer ${KEY}`],
  ["Bearer and two spaces", PATH, `Authorization: Bearer  ${KEY}`],
  ["Bearer and a tab", PATH, `Authorization: Bearer\t${KEY}`],
  ["Basic", PATH, `Authorization: Basic ${Buffer.from(`x:${KEY}`).toString("base64")}`],
  ["Authorization without a scheme", PATH, `Authorization: ${KEY}`],
  ["Authorization with api-key as its scheme", PATH, `Authorization: api-key ${KEY}`],
  ["Bearer alone", PATH, "Authorization: Bearer"],
  ["x-api-key", PATH, `X-API-Key: ${KEY}`],
  ["API-KEY", PATH, `API-KEY: ${KEY}`],
  ["api-key with spaces around", PATH, `api-key:   ${KEY}   `],
  ["api-key empty", PATH, "api-key:"],
  ["api-key in capitals", PATH, `api-key: ${KEY.toUpperCase()}`],
  ["the beginning of the key", PATH, `api-key: ${KEY.slice(0, -1)}`],
  ["more than the key", PATH, `api-key: ${KEY}x`],
  ["a key of Latin-1", PATH, "api-key: k\xe9y"],
  ["?api-key=", `${PATH}?api-key=${KEY}`],
  ["?key=", `${PATH}?key=${KEY}`],
  ["?api-key= of healthz", `/healthz?api-key=${KEY}`],
  ["a subprotocol", PATH, `Sec-WebSocket-Protocol: openai-insecure-api-key.${KEY}`],
  ["a cookie", PATH, `Cookie: api-key=${KEY}`],
  ["Proxy-Authorization", PATH, `Proxy-Authorization: Bearer ${KEY}`],
  ["x-goog-api-key", PATH, `x-goog-api-key: ${KEY}`],
  ["Ocp-Apim-Subscription-Key", PATH, `Ocp-Apim-Subscription-Key: ${KEY}`],
  ["one right, one wrong", PATH, `api-key: ${KEY}`, "Authorization: Bearer wrong"],
  ["all three right", PATH, `api-key: ${KEY}`, `Authorization: Bearer ${KEY}`, `x-api-key: ${KEY}`],
  ["all three wrong", PATH, "api-key: a", "Authorization: Bearer b", "x-api-key: c"],
  ["the same key twice", PATH, `api-key: ${KEY}`, `api-key: ${KEY}`],
  ["a wrong key for Anthropic", "/anthropic/v1/messages", "x-api-key: wrong"],
  ["a wrong key for a path that is none", "/nope", "x-api-key: wrong"],
  ["a key that Connection names", PATH, `api-key: ${KEY}`, "Connection: api-key"],
] as const)
  row(`key: ${name}`, keyed(target, ...headers));
row("key: as the user of the target", keyed(`http://${KEY}@127.0.0.1${PATH}`));
row("key: none, with a body", `${lines(`POST ${PATH} HTTP/1.1`, HOST, "Content-Length: 2")}{}`, {
  answers: 1,
});

// Bodies.
row("a body", post('{"model":"gpt-5.5"}', "Content-Type: application/json"));
row("a body that is gzip", post(latin1(gzipSync('{"model":"gpt-5.5"}')), "Content-Encoding: gzip"));
row("a body that only says it is gzip", post("{}", "Content-Encoding: gzip"));
row(
  "a body of all bytes",
  post(Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("")),
);
row("a body of 1 MB", post("x".repeat(1_000_000)));
row("a body in pieces", [head(`POST ${PATH}`, "Content-Length: 4"), 5, "ab", 5, "cd"]);
row("a head byte by byte", [...get()]);
row("chunks byte by byte", [...chunked("3\r\nabc\r\n0\r\nX: 1\r\n\r\n")]);
row("a head cut within a line break", [get().slice(0, -1), 10, "\n"]);

// Several requests on a connection.
const turn = staying(`GET ${PATH}`);
const last = get();
row("two requests, one after the other", [turn, 50, last]);
row("two requests at once", turn + last);
row("twenty requests at once", turn.repeat(19) + last);
row("two bodies at once", `${staying(`POST ${PATH}`, "Content-Length: 1")}a${post("b")}`);
row("chunks, then a body", staying(`POST ${PATH}`, "Transfer-Encoding: chunked") + CHUNKS + post("b"));
row("an empty line between", `${turn}\r\n${last}`);
row("a refused one between", turn + staying("GET /nope") + last);
row("HEAD, then GET", staying(`HEAD ${PATH}`) + last);
row("healthz, then a turn", lines("GET /healthz HTTP/1.1", HOST) + last);
row("a request after the last one", last + turn);
row("garbage after a request", `${turn}garbage\r\n\r\n`);
row("garbage after the last request", `${last}garbage`);
row(
  "a body that nobody reads, then another request",
  `${staying("POST /nope", "Content-Length: 2")}{}${last}`,
);
row(
  "a wrong key, then another request",
  `${lines(`POST ${PATH} HTTP/1.1`, HOST, "api-key: x", "Content-Length: 2")}{}${last}`,
);
row("204, then another", turn + last, { plays: [{ send: ["HTTP/1.1 204 No Content\r\n\r\n"] }, OK] });
row("an error, then another", turn + last, { plays: [{ send: [plain("403 No", [], "{}")] }, OK] });
row("an end without a length, then another", turn + last, {
  plays: [{ send: ["HTTP/1.1 200 OK\r\n\r\nok"], ending: "end" }, OK],
});

// Ends of the connection.
row("nothing", [], { ends: true });
row("an end within the first line", "GET /open", { ends: true });
row("an end within the headers", `GET ${PATH} HTTP/1.1\r\nHost: 127`, { ends: true });
row("an end within a body", `${staying(`POST ${PATH}`, "Content-Length: 9")}{}`, { ends: true });
row("an end within chunks", `${staying(`POST ${PATH}`, "Transfer-Encoding: chunked")}2\r\n{`, { ends: true });
row("an end before the last chunk", `${staying(`POST ${PATH}`, "Transfer-Encoding: chunked")}2\r\n{}\r\n`, {
  ends: true,
});
row("a client that ends its half while the answer is made", [turn, 50], {
  ends: true,
  plays: [{ send: [300, plain("200 OK")] }],
});

// Answers of the resource.
const answer = (name: string, send: string | Play["send"], given: Given & Omit<Play, "send"> = {}) => {
  const { ending, early, ...more } = given;
  const play = {
    send: typeof send === "string" ? [send] : send,
    ...(ending && { ending }),
    ...(early && { early }),
  };
  row(`answer: ${name}`, post("{}"), { plays: [play], ...more });
};
const ok = (...headers: readonly string[]) => plain("200 OK", headers);
const bare = (line: string, ...headers: readonly string[]) => lines(line, ...headers);

answer("until the end", "HTTP/1.1 200 OK\r\n\r\nok", { ending: "end" });
answer("until a reset", ["HTTP/1.1 200 OK\r\n\r\nok", 30], { ending: "reset" });
answer("of HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nok", { ending: "end" });
answer("of HTTP/1.0 with a length", ok().replace("/1.1", "/1.0"), { ending: "end" });
answer("of HTTP/1.0 that stays", ok("Connection: keep-alive").replace("/1.1", "/1.0"));
answer("in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;a=b\r\nk\r\n0\r\n\r\n");
answer("in no chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
answer(
  "with trailers",
  "HTTP/1.1 200 OK\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n",
);
answer("that is empty", plain("200 OK", [], ""));
answer("in pieces", ["HTTP/1.1 2", 5, "00 OK\r\nContent-Le", 5, "ngth: 2\r\n\r", 5, "\no", 5, "k"]);
answer("of events", [
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
  20,
  "9\r\ndata: 1\n\n\r\n",
  20,
  "9\r\ndata: 2\n\n\r\n",
  "0\r\n\r\n",
]);
answer("204", bare("HTTP/1.1 204 No Content", "X-A: 1", 'ETag: "a"'));
answer("204 with a length of 0", plain("204 No Content", [], ""));
answer("205", plain("205 Reset Content", ["X-A: 1"], ""));
answer("304", bare("HTTP/1.1 304 Not Modified", 'ETag: "a"', "X-A: 1"));
answer("304 with a length", bare("HTTP/1.1 304 Not Modified", "Content-Length: 5"));
answer("206", plain("206 Partial Content", ["Content-Range: bytes 0-1/5"]));
answer("100, then 200", `HTTP/1.1 100 Continue\r\n\r\n${ok()}`);
answer("102, then 200", `HTTP/1.1 102 Processing\r\n\r\n${ok()}`);
answer("103, then 200", `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok()}`);
answer("ten of 1xx, then 200", "HTTP/1.1 102 Processing\r\n\r\n".repeat(10) + ok());
answer("101", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n");
answer("101 without Upgrade", "HTTP/1.1 101 Switching Protocols\r\n\r\n", { ending: "end" });
answer("gzip", plain("200 OK", ["Content-Encoding: gzip"], latin1(gzipSync("text"))));
answer("that only says it is gzip", plain("200 OK", ["Content-Encoding: gzip"], "text"));
answer("of an unknown coding", plain("200 OK", ["Content-Encoding: xyz"], "text"));
answer("of the coding identity", plain("200 OK", ["Content-Encoding: identity"], "text"));
for (const count of [90, 110, 300, 1_900]) answer(`with ${count} headers`, ok(...many(count)));
answer("with 3,000 short headers", ok(...Array.from({ length: 3_000 }, () => "a:1")));
for (const size of [8_000, 15_000, 40_000, 200_000])
  answer(`with a header of ${size} bytes`, ok(`X-A: ${"a".repeat(size)}`));
for (const line of [
  "Set-Cookie: a=1\r\nSet-Cookie: b=2",
  "X-A: 1\r\nX-A: 2",
  "Connection: X-Hop\r\nX-Hop: 1",
  "Connection: close",
  "Keep-Alive: timeout=5",
  "Proxy-Authenticate: Basic",
  "Proxy-Connection: close",
  "Upgrade: h2c",
  "TE: x",
  "Trailer: X-T",
  "X-A: \xe9",
  "X-A: \xc3\xa9",
  "X-A:",
  "X-A:   1  ",
  "X-A: a\tb",
  "X_A: 1",
  "Date: Tue, 15 Nov 1994 08:12:31 GMT",
  "Server: one",
  'Alt-Svc: h3=":443"',
  "Content-Length: 2",
  "Content-Length: 3",
  "Transfer-Encoding: chunked",
  "X A: 1",
  "X-A : 1",
  "X-A",
  ": 1",
  "X-A: a\x00b",
  "X-A: a\x01b",
  "X-A: a\x7fb",
  "X-A: 1\r\n 2",
  "X-A: 1\nX-B: 2",
  "Access-Control-Allow-Origin: *",
  "Content-Type: text/html",
  "Location: http://evil.example/",
  "WWW-Authenticate: Bearer",
  "x-ms-region: Sweden Central",
  "apim-request-id: 1",
  "Strict-Transport-Security: max-age=1",
])
  answer(`with a header ${JSON.stringify(line)}`, ok(line));
for (const length of ["02", "+2", "-2", "", "x", "2,2", "2 ", "99999999999999999999"])
  answer(
    `with the length ${JSON.stringify(length)}`,
    `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\nok`,
    { ending: "end" },
  );
answer(
  "of the coding gzip, chunked",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
  { ending: "end" },
);
answer("of the transfer coding identity", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok", {
  ending: "end",
});
answer("with chunks that are none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n");
answer(
  "with a chunk that is longer",
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokx\r\n0\r\n\r\n", 20],
  { ending: "end" },
);
answer("cut before its head", "", { ending: "end" });
answer("reset before its head", "", { ending: "reset" });
answer("cut in its head", "HTTP/1.1 200 OK\r\nContent-Le", { ending: "end" });
answer("cut in its body", ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", 30], { ending: "end" });
answer("reset in its body", ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", 30], { ending: "reset" });
answer("cut in a chunk", ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok", 30], {
  ending: "end",
});
answer("cut between chunks", ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", 30], {
  ending: "end",
});
answer("cut in the body of an error", ["HTTP/1.1 400 No\r\nContent-Length: 9\r\n\r\nok", 30], {
  ending: "end",
});
answer("that is no HTTP", "hello\r\n\r\n", { ending: "end" });
answer("of HTTP/2", "HTTP/2 200 OK\r\n\r\n", { ending: "end" });
answer("of HTTP/1.2", ok().replace("/1.1", "/1.2"), { ending: "end" });
answer("of ICY", "ICY 200 OK\r\n\r\nok", { ending: "end" });
answer("of http/1.1", ok().replace("HTTP", "http"), { ending: "end" });
for (const line of [
  "200",
  "200 ",
  "200  OK",
  "200 \xe9",
  "099 OK",
  "600 Odd",
  "999 Odd",
  "1000 Odd",
  "20 Odd",
  "-200 Odd",
  "0 Odd",
])
  answer(`of the status ${JSON.stringify(line)}`, `HTTP/1.1 ${line}\r\nContent-Length: 2\r\n\r\nok`, {
    ending: "end",
  });
answer("with bare line feeds", ok().replaceAll("\r\n", "\n"), { ending: "end" });
answer("with an empty line before", `\r\n${ok()}`, { ending: "end" });
answer("twice", ok() + ok(), { ending: "end" });
answer("before the body", ok(), { early: true });
const error = (code: string) => JSON.stringify({ error: { code, message: "said" } });
for (const [status, ...headers] of [
  ["201 Created", "Location: /openai/v1/files/1"],
  ["202 Accepted", "Operation-Location: https://evil.example/"],
  ["300 Odd", "Location: http://evil.example/"],
  ["301 Odd", "Location: http://evil.example/"],
  ["302 Odd", "Location: /x"],
  ["302 Odd"],
  ["303 Odd", "Location: http://evil.example/"],
  ["305 Odd"],
  ["307 Odd", "Location: http://evil.example/"],
  ["308 Odd", "Location: http://evil.example/"],
  ["400 Odd"],
  ["400 Odd", "Content-Type: application/json"],
  ["402 Odd"],
  ["403 Odd"],
  ["404 Odd"],
  ["405 Odd", "Allow: GET"],
  ["407 Odd", "Proxy-Authenticate: Basic"],
  ["408 Odd"],
  ["409 Odd"],
  ["410 Odd"],
  ["413 Odd"],
  ["415 Odd"],
  ["417 Odd"],
  ["421 Odd"],
  ["422 Odd"],
  ["424 Odd"],
  ["425 Odd"],
  ["429 Odd"],
  ["429 Odd", "Retry-After: 7"],
  ["429 Odd", "Retry-After: Tue, 15 Nov 1994 08:12:31 GMT", "retry-after-ms: 100"],
  ["429 Odd", "x-ratelimit-remaining-tokens: 0"],
  ["431 Odd"],
  ["451 Odd"],
  ["500 Odd"],
  ["501 Odd"],
  ["502 Odd"],
  ["503 Odd", "Retry-After: 3"],
  ["504 Odd"],
  ["505 Odd"],
  ["507 Odd"],
  ["529 Odd"],
] as const)
  answer([status, ...headers].join(", "), plain(status, headers, error("SomeCode")));
answer("400 in plain text", plain("400 Odd", ["Content-Type: text/plain"], "no"));
answer("400 without a body", plain("400 Odd", [], ""));
answer("400 of 100 KB", plain("400 Odd", [], "x".repeat(100_000)));
answer("400 until the end", "HTTP/1.1 400 Odd\r\n\r\nno", { ending: "end" });
answer("400 in gzip", plain("400 Odd", ["Content-Encoding: gzip"], latin1(gzipSync(error("SomeCode")))));
answer("403 in gzip", plain("403 Odd", ["Content-Encoding: gzip"], latin1(gzipSync(error("SomeCode")))));
answer("400 of a filter", plain("400 Odd", [], error("content_filter")));
answer("404 of a deployment", plain("404 Odd", [], error("DeploymentNotFound")));
row("answer: 404 of a file", get("/openai/v1/files/x"), {
  plays: [{ send: [plain("404 Odd", ["X-A: 1"], error("not_found"))] }],
});
row("answer: 403 for Anthropic", `${head("POST /anthropic/v1/messages", "Content-Length: 2")}{}`, {
  plays: [{ send: [plain("403 Odd", [], error("SomeCode"))] }],
});

// Answers to HEAD.
for (const [name, text] of [
  ["200", bare("HTTP/1.1 200 OK", "Content-Length: 5", "X-A: 1")],
  ["200 without a length", bare("HTTP/1.1 200 OK")],
  ["200 in chunks", bare("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")],
  ["204", bare("HTTP/1.1 204 No Content")],
  ["400", bare("HTTP/1.1 400 Odd", "Content-Length: 5")],
  ["403", bare("HTTP/1.1 403 Odd", "Content-Length: 5")],
  ["404", bare("HTTP/1.1 404 Odd", "Content-Length: 5")],
  ["500", bare("HTTP/1.1 500 Odd", "Content-Length: 5")],
  ["302", bare("HTTP/1.1 302 Odd", "Location: /x")],
  ["200 with a body", ok()],
] as const)
  row(`answer to HEAD: ${name}`, head("HEAD /openai/v1/files/x"), { plays: [{ send: [text] }] });

// Rejected tokens.
const REJECTED =
  '{"statusCode":401,"message":"Unauthorized. Access token is missing, invalid, audience is incorrect (https://ai.azure.com), or have expired."}';
const rejects = (...headers: readonly string[]): Play => ({ send: [plain("401 No", headers, REJECTED)] });
const CLAIMS = `WWW-Authenticate: Bearer error="insufficient_claims", claims="${Buffer.from('{"access_token":{"nbf":{"essential":true,"value":"1"}}}').toString("base64")}"`;
row("a token that is rejected", post("{}"), { alone: true, plays: [rejects()] });
row("a token that is rejected once", post("{}"), { alone: true, plays: [rejects(), OK] });
row("a token that is rejected after it was good", staying(`GET ${PATH}`) + post("{}"), {
  alone: true,
  plays: [OK, rejects(), OK],
});
row("a token that is rejected twice after it was good", staying(`GET ${PATH}`) + post("{}"), {
  alone: true,
  plays: [OK, rejects(), rejects()],
});
row("401 that is not about the token", post("{}"), {
  alone: true,
  plays: [{ send: [plain("401 No", [], error("SomeCode"))] }],
});
row("401 without a body", post("{}"), {
  alone: true,
  plays: [{ send: [plain("401 No", ["WWW-Authenticate: Bearer"], "")] }],
});
row("a challenge for claims", post("{}"), { alone: true, plays: [rejects(CLAIMS), OK] });
row("a challenge for claims again and again", post("{}"), { alone: true, plays: [rejects(CLAIMS)] });

export const ROWS: readonly Row[] = rows;
