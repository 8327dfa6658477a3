import { redact } from "../errors/redact.js";

/** Controls and formats: what moves the cursor, colours, names the window, turns the direction, or is not seen at all. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** What text of others becomes at a terminal. Character by character, so that a text may come in pieces. */
export function clean(text: string): string {
  return text.replace(UNSEEN, (found) => {
    const code = found.codePointAt(0) ?? 0;
    if (found === "\n" || found === "\t") return found;
    // Carriage returns of line ends, and what has no width.
    if (found === "\r" || (code > 0x9f && !BIDI.test(found))) return "";
    // Pictures of the ASCII controls, such as ␛, show that something stood there.
    return code < 0x20 ? String.fromCodePoint(0x2400 + code) : "\ufffd";
  });
}

/** What makes a text read in another order than it is written. */
const BIDI = /[\u061c\u202a-\u202e\u2066-\u2069]/u;

/** The same on a line of its own, without secrets: no text of others can look like a line of ours. */
export function oneLine(text: string): string {
  return clean(redact(text)).replace(/\s*\n\s*|\t/g, " ");
}

/** JSON whose texts are whole, and harmless at a terminal all the same. */
export function json(value: unknown, indent?: number, look = (text: string) => text): string {
  const looked = (_name: string, inner: unknown) => (typeof inner === "string" ? look(inner) : inner);
  const written = JSON.stringify(value, looked, indent);
  return `${written.replace(UNSEEN, (found) => (found === "\n" ? found : escaped(found)))}\n`;
}

function escaped(text: string): string {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
    .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
    .join("");
}
