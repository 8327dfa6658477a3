import { type Environment, secretsIn } from "../platform/environment.js";
import { wellFormed } from "../platform/well-formed.js";

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

/** Secrets that stand in an environment, in every spelling. */
const known = new Set<string>();

/** From now on the secrets of this environment are taken out of texts, whatever stands around them. */
export function hideSecretsOf(env: Environment): void {
  for (const secret of secretsIn(env)) for (const spelling of spellings(secret)) known.add(spelling);
}

/** Takes tokens and secrets out of a text that somebody else wrote: what looks like one, and what is known to be one. */
export function redact(text: string): string {
  const unknown = [...known].reduce((clean, secret) => clean.replaceAll(secret, HIDDEN), text);
  return PATTERNS.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), unknown);
}

/** How a value stands in a text, in a URL or a form, and in JSON. */
function spellings(value: string): string[] {
  return [value, encodeURIComponent(wellFormed(value)), JSON.stringify(value).slice(1, -1)];
}
