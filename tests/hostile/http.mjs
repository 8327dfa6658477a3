// Requests over real HTTP, well-formed and not.

import { request } from "node:http";
import { CALLER_HEADER } from "./settings.mjs";

/** Nobody waits longer: a request that has not ended by then is lost. */
export const PATIENCE_MS = 40_000;

export const JSON_TYPE = "application/json";
export const EVENTS_TYPE = "text/event-stream";

/** Begins a request. The caller calls `sent.end()`. */
export function open(url, { method = "POST", caller, headers = {}, agent = false } = {}) {
  return request(url, {
    method,
    agent,
    headers: {
      "content-type": JSON_TYPE,
      ...(caller === undefined ? {} : { [CALLER_HEADER]: caller }),
      ...headers,
    },
  });
}

/** Reads the whole answer. Rejects when there is none, or an incomplete one. */
export function answerTo(sent, patienceMs = PATIENCE_MS) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => sent.destroy(new Error(`no end within ${patienceMs} ms`)), patienceMs);
    const settle = (outcome, value) => {
      clearTimeout(timer);
      outcome(value);
    };
    sent.on("error", (error) => settle(reject, error));
    sent.on("response", (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", (error) => settle(reject, error));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const { "content-type": type = "", "retry-after": retryAfter } = response.headers;
        settle(resolve, { status: response.statusCode, type, text, retryAfter });
      });
      response.on("close", () => settle(reject, new Error("the answer was cut off")));
    });
  });
}

/** Sends a prompt and returns the outcome. */
export async function ask(url, body, options) {
  const sent = open(url, options);
  sent.end(typeof body === "string" ? body : JSON.stringify(body));
  return read(await answerTo(sent, options.patienceMs));
}

/** Returns an answer's reply, or the code of its error. Throws for anything else. */
export function read({ status, type, text, retryAfter }) {
  if (type.startsWith(EVENTS_TYPE)) return { status, ...ofEvents(text) };
  const body = JSON.parse(text);
  if (status === 200 && typeof body.reply === "string") return { status, ...body };
  if (typeof body.code === "string") return { status, code: body.code, retryAfter };
  throw new Error(`neither a reply nor a problem: ${status} ${text.slice(0, 200)}`);
}

function ofEvents(text) {
  let reply = "";
  for (const block of text.split("\n\n")) {
    const [, type, json] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
    if (type === "delta") reply += JSON.parse(json).text;
    if (type === "done") return { reply, ...JSON.parse(json) };
    if (type === "error") return { code: JSON.parse(json).code };
  }
  throw new Error(`a stream without an end: ${text.slice(-200)}`);
}
