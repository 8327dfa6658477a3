// Sends the same bytes to the three gateways (Node's, the native one, the one for `fetch`) and compares
// what reaches the resource, and what comes back. The rows are in wire/rows.ts, what comes of them in
// wire/outcomes.ts.

import { createHash } from "node:crypto";
import { createGateway, type GatewayOptions } from "copilot-keyless/gateway";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { BUILD_MS, nativeGateways, nativeProgram } from "../../support/native-gateway.js";
import { edgeGateway } from "./edge-support.js";
import { KEY, type Running } from "./support.js";
import { talk } from "./wire/client.js";
import type { Message } from "./wire/messages.js";
import { type Difference, EDGE, NATIVE, OUTCOMES, USUAL } from "./wire/outcomes.js";
import { Resource } from "./wire/resource.js";
import { ROWS, type Row } from "./wire/rows.js";

// The server of the edge gateway reports each answer that breaks off.
vi.spyOn(console, "error").mockImplementation(() => {});

const KINDS = ["node", "native", "edge"] as const;
type Kind = (typeof KINDS)[number];

let program = "";
const makers: Record<Kind, (options: GatewayOptions) => Promise<Running>> = {
  node: createGateway,
  native: nativeGateways(async () => program),
  edge: edgeGateway,
};

/** A gateway and its resource. */
class Pair {
  readonly resource = new Resource();
  #gateway: Running | undefined;
  #host = "";

  async start(kind: Kind): Promise<this> {
    const endpoint = await this.resource.start();
    this.#host = new URL(endpoint).host;
    let count = 0;
    const getToken = async () => {
      count += 1;
      return { token: `token-${count}`, expiresOnTimestamp: Date.now() + 3_600_000 };
    };
    const scope = "https://ai.azure.com/.default";
    // By default, the edge gateway is open to all names.
    const allowHosts = ["127.0.0.1"];
    const limits = { closeMs: 1 };
    this.#gateway = await makers[kind]({
      endpoint,
      key: KEY,
      env: {},
      scope,
      credential: { getToken },
      allowHosts,
      limits,
    });
    return this;
  }

  async run(kind: Kind, row: Row): Promise<Seen> {
    await this.resource.play(row.plays);
    const { answers, rest, closed } = await talk((this.#gateway as Running).port, row);
    const reached = this.resource.reached.map((message) => request(message, kind));
    const told = answers.map((message) => answer(message, reached.length > 0, kind));
    const seen = { reached, answers: told, rest, closed: closed || row.answers !== undefined };
    return JSON.parse(JSON.stringify(seen).replaceAll(this.#host, "the-resource"));
  }

  async close(): Promise<void> {
    this.resource.close();
    await this.#gateway?.close();
  }
}

/** What is compared. */
interface Seen {
  reached: Part[];
  answers: Part[];
  /** Bytes behind the answers. */
  rest: string;
  closed: boolean;
}

interface Part {
  line: string;
  code?: string | undefined;
  headers: string[];
  body: string;
  trailers: string[];
  whole: boolean;
}

/** What `fetch` adds to requests, and the server of the edge gateway to answers. */
const OF_FETCH =
  /^(accept: \*\/\*|accept-language: \*|sec-fetch-mode: cors|user-agent: node|connection: close)$/;
const OF_THE_SERVER = "content-type: text/plain; charset=UTF-8";

/** A request without what each library does in its own way: connections, compression, case and order. */
function request({ line, headers, ...rest }: Message, kind: Kind): Part {
  const kept = sorted(headers).filter(
    (header) =>
      !/^(connection: keep-alive$|accept-encoding:)/.test(header) &&
      !(kind === "edge" && OF_FETCH.test(header)),
  );
  return { line, headers: kept, ...rest, body: short(rest.body) };
}

/** An answer, likewise: without the way in which its length is told, and the words of a library. */
function answer({ line, headers, body, ...rest }: Message, wasRead: boolean, kind: Kind): Part {
  const [, status = line] = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line) ?? [];
  const code = /^\{.*"code":"([a-z]+\/[a-z-]+)"/.exec(body)?.[1];
  const kept = sorted(headers).filter(
    (header) =>
      !/^(connection: keep-alive$|keep-alive:|date:|transfer-encoding:)/.test(header) &&
      header !== `content-length: ${body.length}` &&
      !(kind === "edge" && header === OF_THE_SERVER),
  );
  return {
    line: status,
    code,
    // A library's own refusal has none but of the connection.
    headers: body === "" && !wasRead ? [] : kept,
    body: short(body.replace(/ (The network's message: ).*?\\n/, " $1...\\n")),
    ...rest,
  };
}

/** The order and case of names is a library's. */
const sorted = (headers: readonly string[]): string[] =>
  headers.map((line) => line.replace(/^[^:]*/, (name) => name.toLowerCase())).sort();

const short = (body: string): string =>
  body.length < 1_000 ? body : `${body.length} bytes, ${createHash("sha256").update(body).digest("hex")}`;

/** How many requests reached the resource, and each answer. */
function outcome({ reached, answers, rest, closed }: Seen): string {
  const told = answers.map(({ line, code, whole }) => [line, code, whole ? undefined : "cut"]);
  const all = told.map((parts) => parts.filter((part) => part !== undefined).join(" "));
  const ends = [...(rest === "" ? [] : ["more"]), ...(closed ? [] : ["open"])];
  return `${reached.length}: ${[...(all.length > 0 ? all : ["none"]), ...ends].join(", ")}`;
}

const pairs = {} as Record<Kind, Pair>;
beforeAll(async () => {
  program = await nativeProgram();
  for (const kind of KINDS) pairs[kind] = await new Pair().start(kind);
}, BUILD_MS);
afterAll(async () => {
  await Promise.all(Object.values(pairs).map((pair) => pair.close()));
});

async function seenBy(kind: Kind, row: Row): Promise<Seen> {
  if (!row.alone) return pairs[kind].run(kind, row);
  const pair = await new Pair().start(kind);
  try {
    return await pair.run(kind, row);
  } finally {
    await pair.close();
  }
}

/** The rows of a table by name, which must be names of rows. */
function byName<T>(entries: readonly (readonly [name: string, value: T])[]): Map<string, T> {
  const names = new Set(ROWS.map(({ name }) => name));
  expect(names.size, "two rows have one name").toBe(ROWS.length);
  expect(entries.map(([name]) => name).filter((name) => !names.has(name))).toEqual([]);
  return new Map(entries);
}

const outcomes = byName(
  Object.entries(OUTCOMES).flatMap(([is, names]) => names.map((name) => [name, is] as const)),
);

/** Outcome and reason of each row that a gateway may treat in another way. */
const allowed = (differences: readonly Difference[]) =>
  byName(
    differences.flatMap(({ why, rows }) =>
      Object.entries(rows).flatMap(([is, names]) => names.map((name) => [name, { is, why }] as const)),
    ),
  );
const OTHERS = [allowed(NATIVE), allowed(EDGE)] as const;

test.each(ROWS)("$name", async (row) => {
  const [node, ...others] = (await Promise.all(KINDS.map((kind) => seenBy(kind, row)))) as [Seen, Seen, Seen];
  const expected = outcomes.get(row.name) ?? USUAL;
  expect(outcome(node)).toBe(expected);
  for (const [at, seen] of others.entries()) {
    const difference = OTHERS[at]?.get(row.name);
    if (difference === undefined) {
      expect(seen, KINDS[at + 1]).toEqual(node);
      continue;
    }
    const { is, why } = difference;
    expect(outcome(seen), why).toBe(is === "same" ? expected : is);
    // A difference that has gone leaves the table.
    expect(seen, why).not.toEqual(node);
  }
});
