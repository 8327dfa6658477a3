// Good callers: they ask, read, and check that the reply is theirs.

import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, EVENTS_TYPE, JSON_TYPE } from "./http.mjs";

/** A conversation ends after this many turns. */
const TURNS_EACH = 6;

const PAUSE_MS = { edge: [60, 240], functions: [250, 750] };

/** The replies of the emulated model. */
export function reply({ prompt, turn }) {
  if (prompt === LONG_PROMPT) return LONG;
  if (prompt.startsWith(BYTES_PROMPT)) return "A long question.";
  return `You said: "${prompt}", in turn ${turn}, and that is all there is to say.`;
}

/** More than the sockets between here and the handler hold. */
const LONG = `${"x".repeat(20_000)} `.repeat(320);
export const LONG_PROMPT = "At length";
/** The start of a question that the answer does not repeat. */
export const BYTES_PROMPT = "Byte by byte";

/** Acts as one caller of one server, until the signal aborts. `tell` receives every turn. */
export async function goodCaller(server, index, { random, signal, tell }) {
  const caller = `good ${index}`;
  const agent = new Agent({ keepAlive: true });
  let session;
  let turn = 0;
  for (let number = 1; !signal.aborted; number += 1) {
    if (turn === TURNS_EACH) session = undefined;
    if (session === undefined) turn = 0;
    const prompt = `${server.name} ${index}, question ${number}`;
    const accept = random.chance(0.5) ? EVENTS_TYPE : JSON_TYPE;
    const began = performance.now();
    const outcome = await ask(
      server.url.chat,
      { prompt, sessionId: session },
      { caller, agent, headers: { accept } },
    ).catch((error) => ({ lost: String(error.message) }));
    const told = { server: server.name, began, ended: performance.now(), prompt, ...outcome };
    const expected = reply({ prompt, turn });
    if (outcome.reply !== undefined && outcome.reply !== expected)
      told.lost = `another reply: ${outcome.reply.slice(0, 200)}`;
    tell(told);
    session = told.lost || told.code ? undefined : outcome.sessionId;
    turn += 1;
    await sleep(random.whole(...PAUSE_MS[server.name]), undefined, { signal }).catch(() => {});
  }
  agent.destroy();
}
