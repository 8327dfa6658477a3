// The invocations that an agent remembers.

import { expect, test } from "vitest";
import { KeylessError } from "../../../js/errors/keyless-error.js";
import { Invocations } from "../../../js/hosted-agent/invocations.js";

const limits = { turns: 4, turnsPerCaller: 2 };
const done = { result: { reply: "Hi", model: "m" } };
const NOT_FOUND = expect.objectContaining({ code: "chat/not-found", status: 404 });

test("an invocation is its caller's, also if another caller has one with the same id", () => {
  const invocations = new Invocations(limits);
  const ann = invocations.begin("ann", "1", "s");
  const bob = invocations.begin("bob", "1", "s");
  invocations.end(ann, done);
  expect(invocations.find("ann", "1").state).toEqual({
    invocation_id: "1",
    session_id: "s",
    status: "completed",
    output: "Hi",
  });
  expect(invocations.find("bob", "1").state.status).toBe("running");
  expect(() => invocations.find("eve", "1")).toThrow(NOT_FOUND);
  expect(() => invocations.cancel("eve", "1")).toThrow(NOT_FOUND);
  expect(bob.cancel.signal.aborted).toBe(false);
});

test("a cancelled invocation aborts its turn, and stays cancelled when that ends", () => {
  const invocations = new Invocations(limits);
  const one = invocations.begin("ann", "1", "s");
  expect(invocations.cancel("ann", "1").status).toBe("cancelled");
  expect(one.cancel.signal.reason).toMatchObject({ code: "chat/cancelled", status: 409 });
  invocations.end(one, { error: one.cancel.signal.reason });
  expect(invocations.find("ann", "1").state.status).toBe("cancelled");
  expect(invocations.cancel("ann", "1").status).toBe("cancelled");
});

test("one that has ended cannot be cancelled any more", () => {
  const invocations = new Invocations(limits);
  const one = invocations.begin("ann", "1", "s");
  invocations.end(one, done);
  expect(invocations.cancel("ann", "1").status).toBe("completed");
  expect(one.cancel.signal.aborted).toBe(false);
});

test("a failure is what the caller got: no detail of the app", () => {
  const invocations = new Invocations(limits);
  const one = invocations.begin("ann", "1", "s");
  invocations.end(one, { error: new KeylessError("model/missing-role", "Principal 123 lacks a role") });
  const { state } = invocations.find("ann", "1");
  expect(state).toMatchObject({ status: "failed", error: { code: "model/missing-role" } });
  expect(JSON.stringify(state)).not.toContain("123");
});

test("the oldest that have ended are forgotten: a caller's own first, running ones never", () => {
  const invocations = new Invocations(limits);
  const running = invocations.begin("ann", "0", "s");
  for (const id of ["1", "2", "3"]) invocations.end(invocations.begin("ann", id, "s"), done);
  expect(() => invocations.find("ann", "1")).toThrow(NOT_FOUND);
  for (const id of ["0", "2", "3"]) expect(invocations.find("ann", id).state.invocation_id).toBe(id);
  for (const caller of ["bob", "cid", "dan"]) invocations.end(invocations.begin(caller, "1", "s"), done);
  // Four in all are kept: Ann's second has made room.
  expect(() => invocations.find("ann", "2")).toThrow(NOT_FOUND);
  expect(invocations.find("bob", "1").state.status).toBe("completed");
  expect(running.state.status).toBe("running");
});
