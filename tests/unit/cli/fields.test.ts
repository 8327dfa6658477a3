import { expect, test } from "vitest";
import { readFields } from "../../../js/cli/fields.js";

test.each<[string, object]>([
  ["server=foundry,kind=status,status=429", { server: "foundry", kind: "status", status: 429 }],
  [
    "times=always,match.body=the weather,match.user=ann",
    { times: "always", match: { body: "the weather", user: "ann" } },
  ],
  ["a=,b=x=y, c=true,d=-1.5", { a: "", b: "x=y", c: true, d: -1.5 }],
  [' {"a": "1,2"}', { a: "1,2" }],
])("%s", (text, fields) => {
  expect(readFields("--fault", text)).toEqual(fields);
});

test.each([
  ["", '--fault cannot be read: "" is not name=value'],
  ["kind", '"kind" is not name=value'],
  ["a..b=1", '"a..b=1" is not name=value'],
  ["a.=1", '"a.=1" is not name=value'],
  ["a=1,a.b=2", "a has a value and fields"],
  ["{", "--fault cannot be read: it is no JSON"],
])("refuses %j", (text, message) => {
  expect(() => readFields("--fault", text)).toThrow(
    expect.objectContaining({ code: "emulator/invalid-option", message: expect.stringContaining(message) }),
  );
});

test("a name that objects have is a field, and changes no other object", () => {
  const fields = readFields("--fault", "__proto__.kind=hang,constructor=x");
  expect(fields.constructor).toBe("x");
  expect(({} as Record<string, unknown>).kind).toBeUndefined();
});
