/** What stands in the place of a secret. */
const HIDDEN = "[redacted]";

/** Names under which errors, answers, environments and query strings hold secrets. */
const LABELS = [
  "(?:access|refresh|id)[_-]?token",
  "client[_-]?(?:secret|assertion)",
  "password",
  "pwd",
  "secret",
  "(?:api|account|subscription|sharedaccess|function|master)[_-]?key",
  "identity[_-]?header",
  "proxy-authorization",
  "authorization",
].join("|");

/** A quoted text, a quoted text within a quoted text (its quotation marks escaped), or a bare word. */
const VALUE = String.raw`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\\+["'][^"'\\]*|[^\s"'\\&,;}]+`;

/** A JWT, an Authorization header, a labelled secret in JSON, a form, a URL or a header: what errors of others may carry. */
const PATTERNS: readonly [RegExp, string][] = [
  // The first part is bounded, or a long text without a full stop would take as long as its square.
  [/eyJ[\w-]{5,1024}\.[\w-]+(?:\.[\w-]*){0,3}/g, HIDDEN],
  [/\b(bearer|basic)\s+(?!token\b|auth|\[redacted\])[\w.~+/=-]{8,}/gi, `$1 ${HIDDEN}`],
  [
    new RegExp(
      String.raw`((?:${LABELS})(?:\\*["'])?\s*[:=]\s*)(?!(?:bearer|basic)\s|\[redacted\])(?:${VALUE})`,
      "gi",
    ),
    `$1${HIDDEN}`,
  ],
  // Words too common to be a label in prose.
  [new RegExp(String.raw`(["']token\\*["']\s*:\s*)(?:${VALUE})`, "gi"), `$1${HIDDEN}`],
  [/([?&](?:token|sig|code|key)=)[^\s"'\\&#]+/gi, `$1${HIDDEN}`],
];

/** Takes tokens and secrets out of a text that somebody else wrote. */
export function redact(text: string): string {
  return PATTERNS.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), text);
}
