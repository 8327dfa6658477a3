// The form of streamed answers: type, first and last event.

import { OUTPUT_TOKENS } from "../context.mjs";
import { eventsOf } from "../http.mjs";
import { inconclusive, judged, untried } from "../verdict.mjs";

/** Makes a check of a stream. `judge` gets its events, and returns what holds and what was seen. */
const stream = ({ wireApi, judge, ...about }) => ({
  requests: 1,
  outputTokens: OUTPUT_TOKENS,
  ...about,
  async run(context) {
    if (context.wireApi === undefined) return untried("ordinary requests are refused");
    const body = context.body({ stream: true }, wireApi);
    const response = await context.ask({ url: context.url(wireApi), body, name: about.name });
    const why = inconclusive(response);
    if (why) return untried(`${why}; ${context.describe(response)}`);
    if (["operation-not-supported", "unsupported-parameter"].includes(response.diagnosis.code))
      return untried(`the model does not offer this; ${context.describe(response)}`);
    if (response.status !== 200) return judged(false, context.describe(response));
    const type = response.headers.get("content-type") ?? "none";
    const events = eventsOf(response.body);
    const { holds, seen } = judge(events);
    const told = `content-type ${context.clean(type)}, ${events.length} events, ${context.clean(seen)}`;
    return judged(holds && type.startsWith("text/event-stream"), told);
  },
});

const jsonOf = (data) => {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
};

export const STREAMS = [
  stream({
    name: "stream of the Responses API",
    claim: "it is text/event-stream, has names of events, and ends with response.completed, without [DONE]",
    files: ["js/emulator/responses.ts"],
    expected: "first response.created, last response.completed or response.incomplete, no [DONE]",
    wireApi: "responses",
    judge(events) {
      const named = events.filter(({ data }) => data !== "[DONE]");
      const [first, last] = [named[0]?.event, named.at(-1)?.event];
      const done = events.some(({ data }) => data === "[DONE]");
      return {
        holds: first === "response.created" && /^response\.(completed|incomplete)$/.test(last) && !done,
        seen: `first ${first}, last ${last}, ${done ? "[DONE]" : "no [DONE]"}`,
      };
    },
  }),
  stream({
    name: "stream of Chat Completions",
    claim: "it begins with a chunk without choices (the content filter's result) and ends with [DONE]",
    files: ["js/emulator/chat-completions.ts"],
    expected: "first chunk without choices, a finish reason, last event [DONE]",
    wireApi: "completions",
    judge(events) {
      const chunks = events.map(({ data }) => jsonOf(data)).filter(Boolean);
      const choices = chunks[0]?.choices?.length;
      const reason = chunks.map((chunk) => chunk.choices?.[0]?.finish_reason).find(Boolean);
      const done = events.at(-1)?.data === "[DONE]";
      return {
        holds: choices === 0 && reason !== undefined && done,
        seen: `first chunk with ${choices ?? "no list of"} choices, finish reason ${reason}, ${done ? "last [DONE]" : "last event is no [DONE]"}`,
      };
    },
  }),
];
