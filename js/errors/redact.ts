import { type Environment, secretsIn } from "../platform/environment.js";
import { wellFormed } from "../platform/well-formed.js";

/** Replaces a secret. */
const HIDDEN = "[redacted]";

/** Names that label secrets in errors, responses, environments and query strings. */
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

/** Matches a quoted text, an escaped quoted text within another, or a bare word. */
const VALUE = String.raw`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\\+["'][^"'\\]*|[^\s"'\\&,;}]+`;

/** Matches JWTs, Authorization headers, and labelled secrets in JSON, forms, URLs and headers. */
const PATTERNS: readonly [RegExp, string][] = [
  // It begins only where a word does that has a dot behind it: otherwise a long text would take
  // quadratic time.
  [/(?<![\w-])(?=[\w-]+\.[\w-])([\w-]*?)eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*){0,3}/g, `$1${HIDDEN}`],
  [/\b(bearer|basic)\s+(?!token\b|auth|\[redacted\])[\w.~+/=-]{8,}/gi, `$1 ${HIDDEN}`],
  [
    new RegExp(
      String.raw`((?:${LABELS})(?:\\*["'])?\s*[:=]\s*)(?!(?:bearer|basic)\s|\[redacted\])(?:${VALUE})`,
      "gi",
    ),
    `$1${HIDDEN}`,
  ],
  // These words are labels only between quotes: they are too common in prose.
  [new RegExp(String.raw`(["']token\\*["']\s*:\s*)(?:${VALUE})`, "gi"), `$1${HIDDEN}`],
  [/([?&](?:token|sig|code|key)=)[^\s"'\\&#]+/gi, `$1${HIDDEN}`],
];

/** The secrets of environments, in every encoding. */
const known = new Set<string>();

/** Makes {@link redact} remove the secrets of this environment from now on, wherever they occur. */
export function hideSecretsOf(env: Environment): void {
  for (const secret of secretsIn(env)) for (const encoded of encodings(secret)) known.add(encoded);
}

/** Removes tokens and secrets from a text: known ones, and everything that looks like one. */
export function redact(text: string): string {
  const withoutKnown = [...known].reduce((clean, secret) => clean.replaceAll(secret, HIDDEN), text);
  return PATTERNS.reduce(
    (clean, [pattern, replacement]) => clean.replace(pattern, replacement),
    withoutKnown,
  );
}

/** A value as it appears in text, in a URL or form, and in JSON. */
function encodings(value: string): string[] {
  return [value, encodeURIComponent(wellFormed(value)), JSON.stringify(value).slice(1, -1)];
}
