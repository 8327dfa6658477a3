/** Formats rows that share their keys as a Markdown table. Numbers have at most one decimal. */
export function tableOf(rows, head = Object.keys(rows[0])) {
  const text = (cell) =>
    typeof cell === "number" ? cell.toLocaleString("en", { maximumFractionDigits: cell < 10 ? 1 : 0 }) : cell;
  const cells = rows.map((row) => Object.values(row).map(text));
  return [head, head.map(() => "---"), ...cells].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
