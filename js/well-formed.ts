/** A text in which a surrogate that stands alone is replaced by U+FFFD: as UTF-8, and so on the wire, there is no such thing. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}
