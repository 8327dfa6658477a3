import type { SessionEvent } from "@github/copilot-sdk";
import type { Conversation } from "../copilot/conversation.js";
import type { ChatEvent } from "../http/contract.js";
import { EventQueue } from "./event-queue.js";

/** Runs a turn: yields what its caller sees, and returns the reply. */
export async function* replyEvents(
  conversation: Conversation,
  prompt: string,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent, string, undefined> {
  const events = new EventQueue<ChatEvent>();
  let reply = "";
  const onEvent = toolEvents(
    (event) => events.push(event),
    (text) => {
      reply = text;
    },
  );
  pump(conversation.stream(prompt, { signal, onEvent }), events);
  yield* events;
  return reply;
}

/**
 * Reports tool events to the caller, and the last message of the turn. Sub-agents reply to their
 * parent agent only.
 */
function toolEvents(onTool: (event: ChatEvent) => void, onMessage: (text: string) => void) {
  const names = new Map<string, string>();
  return (event: SessionEvent): void => {
    if (event.agentId !== undefined) return;
    if (event.type === "tool.execution_start") {
      const { toolCallId: id, toolName: name } = event.data;
      names.set(id, name);
      onTool({ type: "tool", id, name, state: "started" });
    } else if (event.type === "tool.execution_complete") {
      const { toolCallId: id, success } = event.data;
      onTool({ type: "tool", id, name: names.get(id) ?? "", state: success ? "succeeded" : "failed" });
    } else if (event.type === "assistant.message" && event.data.content !== "") {
      onMessage(event.data.content);
    }
  };
}

async function pump(texts: AsyncIterable<string>, events: EventQueue<ChatEvent>): Promise<void> {
  try {
    for await (const text of texts) events.push({ type: "delta", text });
    events.end();
  } catch (error) {
    events.fail(error);
  }
}
