/** A media range of an Accept header. */
interface Range {
  type: string;
  subtype: string;
  quality: number;
}

/**
 * Selects the media type that a caller prefers, by its Accept header (RFC 9110, 12.5.1). Among
 * equals, the first. Returns undefined if the caller accepts none of them. Ignores malformed
 * ranges.
 */
export function bestType(accept: string | null, types: readonly string[]): string | undefined {
  if (accept === null || accept.trim() === "") return types[0];
  const ranges = (accept.match(/(?:[^,"]|"(?:\\.|[^"\\])*"?)+/g) ?? []).flatMap(parse);
  let best: string | undefined;
  let bestQuality = 0;
  for (const type of types) {
    const quality = qualityOf(type, ranges);
    if (quality > bestQuality) [best, bestQuality] = [type, quality];
  }
  return best;
}

function parse(text: string): Range[] {
  const [name = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const [, type, subtype] = /^([^\s/]+)\/([^\s/]+)$/.exec(name) ?? [];
  if (type === undefined || subtype === undefined) return [];
  const weight = parameters.find((parameter) => /^q\s*=/.test(parameter));
  const quality = weight === undefined ? 1 : Number(weight.slice(weight.indexOf("=") + 1));
  return quality >= 0 && quality <= 1 ? [{ type, subtype, quality }] : [];
}

/** Returns the quality of the most specific range that matches, or 0. */
function qualityOf(mediaType: string, ranges: Range[]): number {
  const [type, subtype] = mediaType.split("/");
  const exact = ranges.find((range) => range.type === type && range.subtype === subtype);
  const family = ranges.find((range) => range.type === type && range.subtype === "*");
  const any = ranges.find((range) => range.type === "*" && range.subtype === "*");
  return (exact ?? family ?? any)?.quality ?? 0;
}
