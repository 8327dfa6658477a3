// Tests how the Accept header selects the form of a reply.

import { expect, test } from "vitest";
import { bestType } from "../../../js/http/accept.js";

const EVENT_STREAM = "text/event-stream";
const JSON_TYPE = "application/json";

test.each<[string | null, string | undefined]>([
  [null, JSON_TYPE],
  ["", JSON_TYPE],
  ["*/*", JSON_TYPE],
  [EVENT_STREAM, EVENT_STREAM],
  ["Text/Event-Stream; charset=utf-8", EVENT_STREAM],
  ["application/json", JSON_TYPE],
  ["application/json;q=0.5, text/event-stream", EVENT_STREAM],
  ["text/event-stream;q=0.5, application/json;q=0.4", EVENT_STREAM],
  ["text/event-stream; q=0.1, */*", JSON_TYPE],
  ["text/event-stream, */*;q=0.1", EVENT_STREAM],
  ["text/*, application/json;q=0.9", EVENT_STREAM],
  ["application/*;q=0, */*", EVENT_STREAM],
  ["application/json;q=0", undefined],
  ["text/event-stream;q=0, application/json;q=0, */*", undefined],
  ["text/html, image/*", undefined],
  ["text/html, */*;q=0.000", undefined],
  ['text/html;title="a,application/json;q=1"', undefined],
  ["text/event-stream;q=2", undefined],
  ["nonsense", undefined],
])("Accept: %s", (accept, expected) => {
  expect(bestType(accept, [JSON_TYPE, EVENT_STREAM])).toBe(expected);
});
