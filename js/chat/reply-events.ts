import type { SessionEvent } from "@github/copilot-sdk";
import type { Conversation } from "../copilot/conversation.js";
import type { EngineEvent, EngineRequest, EngineUsage } from "../http/contract.js";
import { EventQueue } from "./event-queue.js";

/** What a complete turn said. */
export interface Said {
  /** The last message. */
  reply: string;
  /** The text of all messages. */
  text: string;
  usage: EngineUsage;
}

/** Runs a turn: yields what its caller sees, and returns what was said. */
export async function* replyEvents(
  conversation: Conversation,
  { prompt, requestHeaders, raw }: EngineRequest,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent, Said, undefined> {
  const events = new EventQueue<EngineEvent>();
  const push = (event: EngineEvent) => events.push(event);
  const onEvent = raw ? (event: SessionEvent) => push({ type: "raw", event }) : toolEvents(push);
  let text = "";
  const onText = (piece: string) => {
    text += piece;
    if (!raw) push({ type: "delta", text: piece });
  };
  const stream = conversation.stream(prompt, { signal, onEvent, requestHeaders });
  pump(stream, events, onText);
  yield* events;
  const { text: reply, usage } = await stream.reply;
  return { reply, text, usage };
}

/** Reports the tools that the main agent uses. Their arguments and results are not disclosed. */
function toolEvents(onTool: (event: EngineEvent) => void) {
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
    }
  };
}

async function pump(
  texts: AsyncIterable<string>,
  events: EventQueue<EngineEvent>,
  onText: (text: string) => void,
): Promise<void> {
  try {
    for await (const text of texts) onText(text);
    events.end();
  } catch (error) {
    events.fail(error);
  }
}
