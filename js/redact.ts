/** What stands in the place of a secret. */
const HIDDEN = "[redacted]";

/** A JWT, an Authorization header, a labelled secret in JSON, a form or a header: what errors of others may carry. */
const PATTERNS: readonly [RegExp, string][] = [
  [/\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*){0,3}/g, HIDDEN],
  [/\b(bearer)\s+(?!token\b|\[redacted\])[\w.~+/=-]{8,}/gi, `$1 ${HIDDEN}`],
  [
    /(["']?\b(?:access_?token|refresh_?token|id_?token|client_?secret|client_?assertion|password|api-?key|x-identity-header|identity_header|msi_secret)["']?\s*[:=]\s*["']?)(?!\[redacted\])[^\s"'&,;}]+/gi,
    `$1${HIDDEN}`,
  ],
];

/** Takes tokens and secrets out of a text that somebody else wrote. */
export function redact(text: string): string {
  return PATTERNS.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), text);
}
