/** A range of an Accept header. */
interface Range {
  type: string;
  subtype: string;
  quality: number;
}

/**
 * Which of some media types a caller likes best, by the header of RFC 9110, 12.5.1; of equals the first. Nothing where it accepts
 * none of them. What is malformed is passed over.
 */
export function bestType(accept: string | null, types: readonly string[]): string | undefined {
  if (accept === null || accept.trim() === "") return types[0];
  const ranges = (accept.match(/(?:[^,"]|"(?:\\.|[^"\\])*"?)+/g) ?? []).flatMap(parse);
  let best: string | undefined;
  let liked = 0;
  for (const type of types) {
    const quality = qualityOf(type, ranges);
    if (quality > liked) [best, liked] = [type, quality];
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

/** What the most specific range that fits says; 0 where none fits. */
function qualityOf(mediaType: string, ranges: Range[]): number {
  const [type, subtype] = mediaType.split("/");
  const exact = ranges.find((range) => range.type === type && range.subtype === subtype);
  const family = ranges.find((range) => range.type === type && range.subtype === "*");
  const any = ranges.find((range) => range.type === "*" && range.subtype === "*");
  return (exact ?? family ?? any)?.quality ?? 0;
}
