// `npm run record` in site/: runs `npm start` in a terminal, types a few lines, and writes an
// unedited recording with its real timing to docs/assets/start.svg. Needs Linux or macOS, because
// it uses `script` for the terminal.

import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import xterm from "@xterm/headless";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const COMMAND = "npm start";
/** The lines to type, each at the next prompt. The empty line ends the chat. */
const TYPED = ["Hello! Who are you?", "Without an API key?", ""];
const PROMPT = /^you\s*$/;
/**
 * How long the prompt must be quiet before typing, and the pause after each key, in milliseconds.
 */
const QUIET = 700;
const KEY = 45;
/** How long the whole run may take, in milliseconds. */
const DEADLINE = 60_000;

const TARGET = join(root, "docs/assets/start.svg");

const COLS = 110;
const ROWS = 60;
/** Merges changes within one frame, in milliseconds. */
const FRAME = 50;
/** How long the last frame is shown, in seconds. */
const HOLD = 5;

const CELL = { width: 8.43, height: 20 };
const MARGIN = { left: 18, top: 58, bottom: 18 };
/** ANSI colours on a dark background, and the default text colour. */
const COLORS = { 1: "#ff7b72", 2: "#7ee787", 3: "#e3b341", 4: "#79c0ff", 5: "#d2a8ff", 6: "#76e3ea" };
const TEXT = "#e6edf3";

const frames = await record(COMMAND);
writeFileSync(TARGET, svgOf(frames));
console.log(`${TARGET}: ${frames.length} frames, ${(frames.at(-1).at / 1000).toFixed(1)} s`);

/** Returns the screens of a run, each with its time in milliseconds. */
async function record(command) {
  const terminal = new xterm.Terminal({ cols: COLS, rows: ROWS, allowProposedApi: true });
  const shown = [{ at: 0, rows: [] }];
  const env = { ...process.env, COLUMNS: String(COLS), LINES: String(ROWS), FORCE_COLOR: "1" };
  for (const name of Object.keys(env)) if (/^(FOUNDRY|AZURE|IDENTITY|npm_)/.test(name)) delete env[name];
  const inside = `stty cols ${COLS} rows ${ROWS}; ${command}`;
  const args =
    process.platform === "darwin" ? ["-q", "/dev/null", "sh", "-c", inside] : ["-qefc", inside, "/dev/null"];
  const child = spawn("script", args, { cwd: root, env, stdio: ["pipe", "pipe", "inherit"] });
  const began = performance.now();
  const late = setTimeout(() => child.kill(), DEADLINE);
  const lines = [...TYPED];
  let typing;
  const type = async () => {
    for (const key of `${lines.shift()}\r`) {
      child.stdin.write(key);
      await new Promise((resolve) => setTimeout(resolve, KEY));
    }
  };
  for await (const chunk of child.stdout) {
    const at = performance.now() - began;
    await new Promise((resolve) => terminal.write(chunk, resolve));
    const rows = screenOf(terminal);
    if (at - shown.at(-1).at < FRAME) shown.at(-1).rows = rows;
    else shown.push({ at, rows });
    clearTimeout(typing);
    const last = rows.findLast((runs) => runs.length > 0) ?? [];
    if (lines.length > 0 && PROMPT.test(last.map(({ text }) => text).join(" ")))
      typing = setTimeout(type, QUIET);
  }
  clearTimeout(late);
  const code = await new Promise((resolve) =>
    child.exitCode === null ? child.on("close", resolve) : resolve(child.exitCode),
  );
  if (code !== 0) throw new Error(`${command} ended with ${code}`);
  return shown;
}

/** Returns each row of a screen as runs of one style: `{ x, text, fill, opacity, bold }`. */
function screenOf(terminal) {
  const buffer = terminal.buffer.active;
  return Array.from({ length: ROWS }, (_, y) => {
    const line = buffer.getLine(y);
    const runs = [];
    for (let x = 0; x < COLS; x += 1) {
      const cell = line.getCell(x);
      const text = cell.getChars() || " ";
      const style = {
        fill: cell.isFgPalette() ? (COLORS[cell.getFgColor() % 8] ?? TEXT) : TEXT,
        opacity: cell.isDim() ? 0.65 : 1,
        bold: cell.isBold() !== 0,
      };
      const last = runs.at(-1);
      const same = last && Object.keys(style).every((name) => last[name] === style[name]);
      if (same) last.text += text;
      else runs.push({ x, text, ...style });
    }
    return runs.map((run) => ({ ...run, text: run.text.trimEnd() })).filter(({ text }) => text !== "");
  });
}

/** Renders an SVG that shows each version of each row for its time, in a loop. */
function svgOf(shown) {
  const end = shown.at(-1).at / 1000;
  const total = end + HOLD;
  const height = Math.max(...shown.map(({ rows }) => rows.findLastIndex((runs) => runs.length > 0))) + 1;
  const versions = [];
  for (let y = 0; y < height; y += 1) {
    for (const { at, rows } of shown) {
      const key = JSON.stringify(rows[y] ?? []);
      const last = versions.findLast((version) => version.y === y);
      if (last?.key === key) continue;
      if (last) last.to = at / 1000;
      versions.push({ y, key, runs: rows[y] ?? [], from: at / 1000, to: total });
    }
  }
  const visible = versions.filter(({ runs }) => runs.length > 0);
  const percent = (seconds) => `${((seconds / total) * 100).toFixed(2)}%`;
  const rules = visible.map(({ from, to }, index) => {
    const hidden = to < total ? `${percent(to)}{visibility:hidden}` : "";
    const start = from > 0 ? "0%{visibility:hidden}" : "";
    return `@keyframes k${index}{${start}${percent(from)}{visibility:visible}${hidden}}
.r${index}{animation:k${index} ${total.toFixed(2)}s step-end infinite}${to < total ? `.r${index}{visibility:hidden}` : ""}`;
  });
  const width = MARGIN.left * 2 + COLS * CELL.width;
  const bottom = MARGIN.top + height * CELL.height + MARGIN.bottom;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(0)} ${bottom}" role="img" aria-labelledby="title" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
<title id="title">Recording of ${COMMAND}</title>
<style>
text{white-space:pre}
${rules.join("\n")}
@media (prefers-reduced-motion:reduce){g{animation:none!important}}
</style>
<rect width="100%" height="100%" rx="10" fill="#0d1117" stroke="#30363d"/>
<g fill="#484f58"><circle cx="22" cy="20" r="6"/><circle cx="42" cy="20" r="6"/><circle cx="62" cy="20" r="6"/></g>
<text x="${MARGIN.left}" y="${MARGIN.top - 10}" fill="${TEXT}"><tspan fill="${COLORS[2]}">$</tspan> ${COMMAND}</text>
${visible.map(({ y, runs }, index) => `<g class="r${index}">${runs.map((run) => textOf(run, y)).join("")}</g>`).join("\n")}
</svg>
`;
}

function textOf({ x, text, fill, opacity, bold }, y) {
  const at = `x="${(MARGIN.left + x * CELL.width).toFixed(1)}" y="${MARGIN.top + (y + 1) * CELL.height - 6}"`;
  const style = `${fill === TEXT ? `fill="${TEXT}"` : `fill="${fill}"`}${opacity < 1 ? ` opacity="${opacity}"` : ""}${bold ? ' font-weight="700"' : ""}`;
  const fit = `textLength="${(text.length * CELL.width).toFixed(1)}" lengthAdjust="spacingAndGlyphs"`;
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `<text ${at} ${style} ${fit}>${escaped}</text>`;
}
