import { oneLine } from "./clean.js";
import { out } from "./colors.js";

/** Formats rows of a name, a value and a remark in columns. */
export function table(rows: readonly (readonly [name: string, value: string, remark?: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows
    .map(
      ([name, value, remark]) =>
        `${out.dim(name.padEnd(width))}${oneLine(value)}${remark ? out.dim(`  ${oneLine(remark)}`) : ""}\n`,
    )
    .join("");
}
