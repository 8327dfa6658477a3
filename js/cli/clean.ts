import { redact } from "../errors/redact.js";

/** Control and format characters: escape sequences, text direction, zero width. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Makes untrusted text safe for a terminal. Works per character, so a text may be passed in pieces.
 */
export function clean(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === "\n" || character === "\t") return character;
    // Drop carriage returns and characters without width.
    if (character === "\r" || (code > 0x9f && !BIDI.test(character))) return "";
    // Show an ASCII control as its picture, such as ␛.
    return code < 0x20 ? String.fromCodePoint(0x2400 + code) : "\ufffd";
  });
}

/** Characters that change the direction of text. */
const BIDI = /[\u061c\u202a-\u202e\u2066-\u2069]/u;

/**
 * Does the same on a single line, and redacts secrets. So untrusted text cannot imitate a line of
 * output.
 */
export function oneLine(text: string): string {
  return clean(redact(text)).replace(/\s*\n\s*|\t/g, " ");
}

/** Formats JSON that is safe for a terminal: escapes invisible characters, and keeps all text. */
export function json(value: unknown, indent?: number, mapText = (text: string) => text): string {
  const replacer = (_name: string, item: unknown) => (typeof item === "string" ? mapText(item) : item);
  const formatted = JSON.stringify(value, replacer, indent);
  const safe = formatted.replace(INVISIBLE, (character) =>
    character === "\n" ? character : escaped(character),
  );
  return `${safe}\n`;
}

function escaped(text: string): string {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
    .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
    .join("");
}
