// The results as a table for the terminal and as a page to paste into an issue.

const MARKS = { confirmed: "✓", differs: "✗", "not tried": "-" };
const COLORS = { confirmed: "green", differs: "red", "not tried": "dim" };

/** How many results have each verdict. */
export const countsOf = (results) =>
  Object.fromEntries(
    Object.keys(MARKS).map((verdict) => [verdict, results.filter((one) => one.verdict === verdict).length]),
  );

/** Formats a result as a line. `colors`: picocolors, switched on or off. */
export const lineOf = ({ name, verdict, seen, ms }, colors) =>
  colors[COLORS[verdict]](`${MARKS[verdict]} ${name.padEnd(44)} ${`${ms} ms`.padStart(8)}  ${seen}`);

/** Formats all results for the terminal. */
export const textOf = ({ results }, colors) =>
  [
    ...results.map((result) => lineOf(result, colors)),
    "",
    Object.entries(countsOf(results))
      .map(([verdict, count]) => `${count} ${verdict}`)
      .join(", "),
  ].join("\n");

/** Formats all results as Markdown. */
export function pageOf({ results, requests, ...setup }) {
  const counts = countsOf(results);
  return [
    "# Live report of copilot-keyless",
    "",
    "Written by `npm run live`. Tokens, ids, hosts and names are replaced by placeholders in brackets.",
    "",
    ...table(
      ["", ""],
      [
        ...Object.entries(setup),
        ["requests", `${requests.resource} to the resource, ${requests.identity} to identity endpoints`],
        ...Object.entries(counts),
      ],
    ),
    "",
    ...table(
      ["check", "verdict"],
      results.map(({ name, verdict }) => [name, `${MARKS[verdict]} ${verdict}`]),
    ),
    ...["differs", "confirmed", "not tried"].flatMap((verdict) => section(verdict, results)),
    "",
  ].join("\n");
}

function section(verdict, results) {
  const own = results.filter((one) => one.verdict === verdict);
  if (own.length === 0) return [];
  return ["", `## ${verdict[0].toUpperCase()}${verdict.slice(1)}`, ...own.flatMap(entry)];
}

const entry = ({ name, claim, files, expected, seen, verdict }) => [
  "",
  `### ${name}`,
  "",
  `- claim: ${claim} (${files.map((file) => `\`${file}\``).join(", ")})`,
  ...(verdict === "not tried" ? [] : [`- expected: ${expected}`]),
  `- ${verdict === "not tried" ? "why not" : "seen"}: ${code(seen)}`,
];

/** Quotes a text from elsewhere: in a code span it mentions nobody and formats nothing. */
const code = (text) => `\`${text.replaceAll("`", "'")}\``;

const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map(
    (cells) => `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`,
  );
