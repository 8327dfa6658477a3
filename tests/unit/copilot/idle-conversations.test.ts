// Tests which idle conversations end, and when, by a clock that is moved by hand.

import { FakeClock } from "copilot-keyless/testing";
import { describe, expect, test } from "vitest";
import { type IdleConversation, IdleConversations } from "../../../js/copilot/idle-conversations.js";

/** Some conversations, and the names of those that ended, in order. */
function conversations(...names: string[]) {
  const ended: string[] = [];
  const all = names.map((name): IdleConversation => ({ endIdle: () => void ended.push(name) }));
  return { ended, all };
}

describe("idleMs", () => {
  test("ends a conversation that long after its last turn, once", async () => {
    const clock = new FakeClock();
    const { ended, all } = conversations("a");
    const [a] = all as [IdleConversation];
    const idle = new IdleConversations({ idleMs: 1_000, maxConversations: undefined }, clock);
    idle.busy(a);
    await clock.advance(5_000);
    idle.idle(a);
    await clock.advance(999);
    expect(ended).toEqual([]);
    await clock.advance(1);
    expect(ended).toEqual(["a"]);
    await clock.advance(5_000);
    expect(ended).toEqual(["a"]);
  });

  test("starts anew with every turn, and never ends a running one", async () => {
    const clock = new FakeClock();
    const { ended, all } = conversations("a");
    const [a] = all as [IdleConversation];
    const idle = new IdleConversations({ idleMs: 1_000, maxConversations: undefined }, clock);
    for (let turns = 0; turns < 3; turns += 1) {
      idle.busy(a);
      await clock.advance(2_000);
      idle.idle(a);
      await clock.advance(900);
    }
    expect(ended).toEqual([]);
  });

  test("forgets a conversation that was closed", async () => {
    const clock = new FakeClock();
    const { ended, all } = conversations("a");
    const [a] = all as [IdleConversation];
    const idle = new IdleConversations({ idleMs: 1_000, maxConversations: 1 }, clock);
    idle.busy(a);
    idle.idle(a);
    idle.closed(a);
    await clock.advance(2_000);
    expect(ended).toEqual([]);
  });
});

describe("maxConversations", () => {
  test("ends the idle one that was used least recently", () => {
    const { ended, all } = conversations("a", "b", "c", "d");
    const [a, b, c, d] = all as [IdleConversation, IdleConversation, IdleConversation, IdleConversation];
    const idle = new IdleConversations({ idleMs: undefined, maxConversations: 2 }, new FakeClock());
    for (const one of [a, b, a]) {
      idle.busy(one);
      idle.idle(one);
    }
    idle.busy(c);
    expect(ended).toEqual(["b"]);
    idle.busy(d);
    expect(ended).toEqual(["b", "a"]);
  });

  test("never ends one with a turn: it ends when the turn has ended", () => {
    const { ended, all } = conversations("a", "b", "c");
    const [a, b, c] = all as [IdleConversation, IdleConversation, IdleConversation];
    const idle = new IdleConversations({ idleMs: undefined, maxConversations: 1 }, new FakeClock());
    for (const one of [a, b, c]) idle.busy(one);
    expect(ended).toEqual([]);
    idle.idle(b);
    idle.idle(a);
    expect(ended).toEqual(["b", "a"]);
    idle.idle(c);
    expect(ended).toEqual(["b", "a"]);
  });

  test("without limits nothing ends", async () => {
    const { ended, all } = conversations(...Array.from({ length: 100 }, (_, index) => String(index)));
    const clock = new FakeClock();
    const idle = new IdleConversations({ idleMs: undefined, maxConversations: undefined }, clock);
    for (const one of all) {
      idle.busy(one);
      idle.idle(one);
    }
    await clock.advance(1e9);
    expect(ended).toEqual([]);
  });
});
