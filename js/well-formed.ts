/**
 * The text with U+FFFD in the place of each lone surrogate, as `String.prototype.toWellFormed` gives it. A lone surrogate has no UTF-8,
 * so a text that holds one reaches no model and no file.
 */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}
