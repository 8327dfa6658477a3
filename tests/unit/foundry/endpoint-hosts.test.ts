// parseEndpoint and JavaScript's URL must find the same host in a text, because URL parsers decide
// where a token is sent. The texts are the table's rows with random edits, from a fixed seed.

import { type Endpoint, KeylessError, parseEndpoint } from "copilot-keyless";
import { expect, test } from "vitest";
import endpoints from "../../tables/endpoints.json" with { type: "json" };

const CASES = 40_000;

/**
 * Characters around a URL that `quotes-stripped` removes; URL would treat a quote as part of the
 * host.
 */
const WRAPPING = /^[\s"'`<\u2018-\u201f]+|[\s"'`,;>\u2018-\u201f]+$/gu;

// biome-ignore format: a list
const PIECES = [
  "@", "\\", ":", "/", "//", "?", "#", ".", "..", "%2e", "%2f", "%40", "%5c", "%00", "[", "]", "[::1]", ":443", ":80", ":8080", ";", ",", "&",
  "\t", "\n", "\u00ad", "\u200b", "\u3002", "\uff0e", "\uff0f", "\uff20", "\uff1a", "\u2044", "\u2100", "\u0430", "\u00df", "\u0131",
  "xn--", "-", "_", "0x7f", "127.1", "localhost", "attacker.example", ".attacker.example", "@attacker.example", "myres.openai.azure.com",
  ".openai.azure.com", ".privatelink", "https://", "http://", "HTTPS:", "https:/", "\"", "'", "<", ">",
];

/** Mulberry32: small, with the same numbers on every machine. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function edited(text: string, below: (limit: number) => number): string {
  let result = text;
  for (let edits = below(4); edits > 0; edits -= 1) {
    const at = below(result.length + 1);
    const cut = below(3) === 0 ? below(6) : 0;
    result = result.slice(0, at) + PIECES[below(PIECES.length)] + result.slice(at + cut);
  }
  return result;
}

function read(text: string): Endpoint | undefined {
  try {
    return parseEndpoint(text);
  } catch (error) {
    if (error instanceof KeylessError) return undefined;
    throw error;
  }
}

/** Returns URL's host for the text; undefined if the text is not an http(s) URL. */
function otherHost(text: string): string | undefined {
  const bare = text.replaceAll(WRAPPING, "");
  if (!URL.canParse(bare)) return undefined;
  const { protocol, hostname } = new URL(bare);
  return /^https?:$/.test(protocol) ? hostname.replace(/\.$/, "") : undefined;
}

test("every accepted host is the one that another reader of URLs finds", () => {
  const below = random(20_251_121);
  const kinds = new Map<string, number>();
  for (let index = 0; index < CASES; index += 1) {
    const row = endpoints[index % endpoints.length];
    const text = edited(row?.input ?? "", below);
    const endpoint = read(text);
    const other = endpoint && otherHost(text);
    if (endpoint === undefined || other === undefined) continue;
    const isPrivate = endpoint.warnings.some(({ code }) => code === "privatelink-host-rewritten");
    const expected = isPrivate ? other.replace(/\.privatelink(?!.*\.privatelink\.)/, "") : other;
    expect(new URL(endpoint.baseUrl).hostname, JSON.stringify(text)).toBe(expected);
    expect(new URL(endpoint.url).hostname, JSON.stringify(text)).toBe(expected);
    kinds.set(endpoint.kind, (kinds.get(endpoint.kind) ?? 0) + 1);
  }
  // Check that enough hosts were compared.
  for (const { expect: fields } of endpoints) {
    if (fields?.kind !== undefined) expect(kinds.get(fields.kind) ?? 0, fields.kind).toBeGreaterThan(20);
  }
});
