// Ids of responses and conversations, and the prompt in a request of the Responses API.

import { describe, expect, test } from "vitest";
import { chainOf, derivedSession, newId, responseId } from "../../../js/hosted-agent/response-id.js";
import { promptOf } from "../../../js/hosted-agent/response-input.js";

// Made by azure-ai-agentserver-responses 2.1.0.
const OFFICIAL = "caresp_cd87bc6bb11c564d00ADpJtGxBDidr2USJOfOGkdyKMjRqohjY";

describe("chains of responses", () => {
  test("an id of the official server is one, and ours have its form", () => {
    expect(responseId(OFFICIAL)).toBe(OFFICIAL);
    const { partition } = chainOf(undefined, undefined, null);
    expect(responseId(newId("caresp", partition))).toMatch(/^caresp_[\da-f]{16}00[\da-f]{32}$/);
    for (const wrong of [null, "", "resp_1", `${OFFICIAL}x`, OFFICIAL.slice(0, -1)])
      expect(responseId(wrong)).toBeUndefined();
  });

  test("a response continues the chain of the one before, which must exist", () => {
    expect(chainOf(undefined, OFFICIAL, null)).toEqual({ partition: "cd87bc6bb11c564d00", mustExist: true });
    expect(chainOf(null, "", null)).toMatchObject({ mustExist: false });
    expect(() => chainOf(undefined, "resp_1", null)).toThrow(
      expect.objectContaining({ code: "chat/session-not-found", status: 404 }),
    );
  });

  test("a conversation is found by its name, whether or not it exists", () => {
    const [byText, byObject] = [chainOf("conv_1", OFFICIAL, null), chainOf({ id: "conv_1" }, null, null)];
    expect(byText).toEqual(byObject);
    expect(byText).toEqual({ partition: expect.stringMatching(/^[\da-f]{16}00$/), mustExist: false });
    expect(chainOf("conv_2", null, null)).not.toEqual(byText);
    for (const wrong of [5, { id: 5 }, { id: "" }, "x".repeat(513), []])
      expect(() => chainOf(wrong, null, null)).toThrow(
        expect.objectContaining({ code: "chat/invalid-request" }),
      );
  });

  test("the platform's id of a response names its chain; new chains differ", () => {
    expect(chainOf(null, null, OFFICIAL).partition).toBe("cd87bc6bb11c564d00");
    expect(chainOf(null, null, "nonsense").partition).not.toBe(chainOf(null, null, null).partition);
  });

  test("a derived session is the same for a chain of an agent, and no other", () => {
    const session = derivedSession("agent:1", "cd87bc6bb11c564d00");
    expect(session).toMatch(/^[\da-f]{63}$/);
    expect(derivedSession("agent:1", "cd87bc6bb11c564d00")).toBe(session);
    expect(derivedSession("agent:2", "cd87bc6bb11c564d00")).not.toBe(session);
  });
});

describe("the prompt", () => {
  test.each<[string, unknown, string]>([
    ["a text", "Hi", "Hi"],
    ["a message", [{ role: "user", content: "Hi" }], "Hi"],
    ["a message with a type", [{ type: "message", role: "user", content: "Hi" }], "Hi"],
    [
      "parts",
      [
        {
          role: "user",
          content: [
            { type: "input_text", text: "H" },
            { type: "text", text: "i" },
          ],
        },
      ],
      "Hi",
    ],
    [
      "several messages",
      [
        { role: "user", content: "A" },
        { role: "user", content: "B" },
      ],
      "A\n\nB",
    ],
  ])("%s", (_name, input, prompt) => {
    expect(promptOf(input, 10)).toBe(prompt);
  });

  test.each<[string, unknown, string]>([
    ["nothing", undefined, "chat/invalid-request"],
    ["a blank text", " ", "chat/invalid-request"],
    ["no messages", [], "chat/invalid-request"],
    ["a number", 5, "chat/invalid-request"],
    ["an answer", [{ role: "assistant", content: "Hi" }], "chat/invalid-request"],
    ["a system message", [{ role: "system", content: "Hi" }], "chat/invalid-request"],
    ["an image", [{ role: "user", content: [{ type: "input_image" }] }], "chat/invalid-request"],
    ["a call's output", [{ type: "function_call_output", output: "1" }], "chat/invalid-request"],
    ["null", [null], "chat/invalid-request"],
    ["a part that is null", [{ role: "user", content: [null] }], "chat/invalid-request"],
    ["a long text", "x".repeat(11), "chat/prompt-too-long"],
  ])("%s is refused", (_name, input, code) => {
    expect(() => promptOf(input, 10)).toThrow(expect.objectContaining({ code }));
  });
});
