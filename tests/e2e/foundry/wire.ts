// A server that accepts only one kind of request, and its checks.

import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect } from "vitest";
import type { Answer } from "../../../js/emulator/answer.js";
import { chatCompletionEvents } from "../../../js/emulator/chat-completions.js";
import { messageEvents } from "../../../js/emulator/messages.js";
import { responsesEvents } from "../../../js/emulator/responses.js";
import type { ServerSentEvent } from "../../../js/emulator/sse.js";

/** The only accepted request. */
export interface ExpectedRequest {
  /** Path and query, with the origin if the request contains one. */
  url: string;
  token: string;
  model: string;
  headers?: Record<string, string> | undefined;
}

/** A received request: header names in lower case, with all their values. */
export interface SeenRequest {
  method: string;
  url: string;
  headers: [name: string, value: string][];
  body: Record<string, unknown>;
}

/** Headers for other credentials. */
const OTHER_CREDENTIALS = /^(api-key|x-api-key|ocp-apim-subscription-key|proxy-authorization|cookie)$/;

/** Checks requests, and answers the expected one with a streamed reply. */
export class Judge {
  expected: ExpectedRequest | undefined;
  seen: SeenRequest[] = [];
  problems: string[] = [];

  /** The text of the reply to the expected request. */
  get reply(): string {
    return `Answered for ${this.expected?.model} at ${this.expected?.url}.`;
  }

  expect(expected: ExpectedRequest): void {
    this.expected = expected;
    this.seen = [];
    this.problems = [];
  }

  /** Returns the text of the event stream, or undefined for an unexpected request. */
  answer(request: SeenRequest): string | undefined {
    this.seen.push(request);
    const problems = this.expected ? problemsOf(request, this.expected) : ["no request was expected"];
    this.problems.push(...problems);
    if (problems.length > 0) return undefined;
    const answer: Answer = {
      model: String(request.body.model),
      text: this.reply,
      toolCalls: [],
      createdAt: 1_700_000_000,
      finish: "stop",
      usage: { inputTokens: 10, outputTokens: 10, cachedTokens: 0, reasoningTokens: 0 },
    };
    return [...events(request, answer)].map(format).join("");
  }

  /** Expects exactly one request, the expected one. */
  verify(): SeenRequest {
    expect(this.problems).toEqual([]);
    expect(this.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([`POST ${this.expected?.url}`]);
    return this.seen[0] as SeenRequest;
  }
}

function problemsOf(request: SeenRequest, { url, token, model, headers = {} }: ExpectedRequest): string[] {
  const all = (name: string) => request.headers.filter(([one]) => one === name).map(([, value]) => value);
  const anthropic = url.endsWith("/messages");
  const checks: [what: string, found: unknown, wanted: unknown][] = [
    ["method", request.method, "POST"],
    ["url", request.url, url],
    ["authorization", all("authorization"), [`Bearer ${token}`]],
    ["content-type", all("content-type"), ["application/json"]],
    ["anthropic-version", all("anthropic-version"), anthropic ? ["2023-06-01"] : []],
    ["other credentials", request.headers.filter(([name]) => OTHER_CREDENTIALS.test(name)), []],
    [
      "the token elsewhere",
      request.headers.filter(([name, value]) => name !== "authorization" && value.includes(token)),
      [],
    ],
    ["model", request.body.model, model],
    ["stream", request.body.stream, true],
    ...Object.entries(headers).map(([name, value]): [string, unknown, unknown] => [
      name,
      all(name.toLowerCase()),
      [value],
    ]),
  ];
  return checks
    .map(([what, found, wanted]) => [what, JSON.stringify(found), JSON.stringify(wanted)])
    .filter(([, found, wanted]) => found !== wanted)
    .map(([what, found, wanted]) => `${what}: ${found} instead of ${wanted}`);
}

function events({ url, body }: SeenRequest, answer: Answer): Iterable<ServerSentEvent> {
  const [path = ""] = url.split("?");
  if (path.endsWith("/responses")) return responsesEvents(answer, body);
  return path.endsWith("/messages") ? messageEvents(answer) : chatCompletionEvents(answer, body);
}

function format({ event, data }: ServerSentEvent): string {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  return `${event === undefined ? "" : `event: ${event}\n`}data: ${text}\n\n`;
}

/** Listens on this machine until the test file ends. Returns the origin. */
export async function serve(judge: Judge): Promise<string> {
  const server = createServer(async (incoming, outgoing) => {
    const stream = judge.answer(await read(incoming));
    if (stream === undefined) {
      outgoing.writeHead(400, { "content-type": "application/json" });
      outgoing.end(JSON.stringify({ error: { message: judge.problems.join("; ") } }));
      return;
    }
    outgoing.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    outgoing.end(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function read(incoming: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const raw = incoming.rawHeaders;
  return {
    method: incoming.method ?? "",
    url: incoming.url ?? "",
    headers: raw.flatMap((name, index) =>
      index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1] ?? ""] as [string, string]] : [],
    ),
    body: parsed(Buffer.concat(chunks).toString("utf8")),
  };
}

/** A body that is not JSON has no model, so it is unexpected. */
export function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
