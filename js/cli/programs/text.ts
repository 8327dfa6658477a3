import type { PlannedConfig } from "../../wasm/types/provider.js";

/** A provider as code of one language. */
export interface Code {
  /** A whole program: signs in, sends one prompt and prints the answer. */
  program: string;
  /** The credential and the provider alone, for a program that exists. */
  snippet: string;
}

/** The prompt of every program. */
export const PROMPT = "Say hello in one sentence.";

/**
 * Formats the texts and numbers of a config, one a line. `azure` formats the dated API version.
 * Headers are left out: only code can set them.
 */
export function fields(
  { azure, ...config }: PlannedConfig,
  field: (name: string, value: string) => string,
  text: (value: string) => string,
  dated: (apiVersion: string) => string,
): string[] {
  const lines = Object.entries(config).flatMap(([name, value]) =>
    typeof value === "string" || typeof value === "number"
      ? [field(name, typeof value === "string" ? text(value) : `${value}`)]
      : [],
  );
  return azure ? [...lines, dated(azure.apiVersion)] : lines;
}

/** Spells the UTF-16 unit of a character as `\u0085`. */
const unit = (character: string) =>
  [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
    .join("");

/**
 * Quotes a text for TypeScript, C# and Java: printable ASCII as it is, all else as `\u` and the
 * number. C# takes U+0085 and U+2028 for ends of lines.
 */
export const quote = (value: string): string => spell(value, unit);

/** Quotes a text for Python and Go, whose `\u` cannot be half of a surrogate pair. */
export const quoteWide = (value: string): string =>
  spell(value, (character) =>
    character.length === 1
      ? unit(character)
      : `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, "0")}`,
  );

/** Quotes a text for Rust. */
export const quoteRust = (value: string): string =>
  spell(value, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);

/** Escapes that all the languages have. Java takes a backslash and `u000a` for the end of the line. */
const NAMED: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function spell(value: string, other: (character: string) => string): string {
  const text = value.replace(/["\\]/g, "\\$&").replace(/[^ -~]/gu, (one) => NAMED[one] ?? other(one));
  return `"${text}"`;
}

/** Returns the line if it fits, or else the same with a break, as the language's formatter does. */
export function wrap(width: number, line: string, broken: string): string {
  return line.length <= width ? line : broken;
}

/** Indents lines; empty ones stay empty. */
export function indent(by: string, lines: readonly string[]): string[] {
  return lines.flatMap((text) => text.split("\n")).map((line) => (line === "" ? line : by + line));
}

/** Converts a name to `snake_case`. */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Converts a name to `PascalCase`. */
export function pascal(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}
