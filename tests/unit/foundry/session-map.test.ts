// Tests the state of sessions: found by id while the session exists, and collected with it.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { CopilotSession } from "@github/copilot-sdk";
import { expect, test } from "vitest";
import { SessionMap } from "../../../js/foundry/session-map.js";

const session = (sessionId: string) => ({ sessionId }) as CopilotSession;

test("the state is that of the session object, and the latest under its id", () => {
  const map = new SessionMap<{ name: string }>();
  const [first, resumed] = [session("id"), session("id")];
  const state = map.enter(first, () => ({ name: "first" }));
  expect(map.enter(first, () => ({ name: "again" }))).toBe(state);
  expect(map.get("id")).toBe(state);
  const later = map.enter(resumed, () => ({ name: "resumed" }));
  expect(map.get("id")).toBe(later);
  map.leave(first);
  expect(map.get("id"), "the earlier object leaves the later one alone").toBe(later);
  map.leave(resumed);
  expect(map.get("id")).toBeUndefined();
  expect(map.get(undefined)).toBeUndefined();
});

test("the state is garbage-collected with its session, without detaching", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const map = new SessionMap<object>();
  const kept = session("kept");
  map.enter(kept, () => ({}));
  for (let index = 0; index < 100; index += 1) map.enter(session(`id-${index}`), () => ({}));
  const left = () => Array.from({ length: 100 }, (_, index) => map.get(`id-${index}`)).filter(Boolean).length;
  await expect
    .poll(() => {
      collect();
      return left();
    })
    .toBe(0);
  expect(map.get(kept.sessionId)).toBeDefined();
});
