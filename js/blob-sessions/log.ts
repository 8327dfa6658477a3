import { unreadable } from "./errors.js";
import { type FileChange, SessionFiles } from "./files.js";

/**
 * A line of the log. A turn begins, and ends with the changes of its files: with all of them in one
 * line, or with some in lines before it, of the same attempt. A turn that did neither end nor was
 * told lost is one whose worker died.
 */
type LogLine =
  | { begin: string }
  | { part: string; attempt: number; changes: FileChange[] }
  | { end: string; attempt: number; at: number; changes: FileChange[]; ended?: string[] }
  | { void: string[] };

/** The most characters of a change, and of the changes of one line. A block may have 100 MiB. */
const CHANGE_CHARS = 500_000;
const LINE_CHARS = 1_000_000;

/** How many of the turns that ended a new log remembers of the one before. */
const REMEMBERED = 8;

export const beginLine = (turn: string): Buffer => encode({ begin: turn });
export const voidLine = (turns: readonly string[]): Buffer => encode({ void: [...turns] });

/** The lines of a turn's end. Each is to be appended with a request of its own. */
export function endLines(
  end: { turn: string; attempt: number; at: number; ended?: string[] | undefined },
  changes: readonly FileChange[],
): Buffer[] {
  const { turn, attempt, at, ended } = end;
  const groups = grouped(changes.flatMap(split));
  const last = groups.pop() ?? [];
  return [
    ...groups.map((group) => encode({ part: turn, attempt, changes: group })),
    encode({ end: turn, attempt, at, changes: last, ...(ended ? { ended } : {}) }),
  ];
}

/** What a log holds. */
export class SessionLog {
  readonly files: SessionFiles;
  readonly #ended = new Set<string>();
  readonly #void = new Set<string>();
  readonly #begun = new Set<string>();
  readonly #parts = new Map<string, FileChange[]>();

  constructor(now: () => number) {
    this.files = new SessionFiles(now);
  }

  /** Reads more of it. Ends with a whole line, as every append does. */
  read(bytes: Buffer): void {
    for (const line of linesOf(bytes)) {
      if ("begin" in line) this.#begun.add(line.begin);
      else if ("void" in line) for (const turn of line.void) this.#void.add(turn);
      else if ("part" in line) {
        const key = keyOf(line.part, line.attempt);
        this.#parts.set(key, [...(this.#parts.get(key) ?? []), ...line.changes]);
      } else if (!this.#ended.has(line.end)) {
        for (const turn of [...(line.ended ?? []), line.end]) this.#ended.add(turn);
        this.files.replay(this.#parts.get(keyOf(line.end, line.attempt)) ?? [], line.at);
        this.files.replay(line.changes, line.at);
      }
    }
  }

  hasEnded(turn: string): boolean {
    return this.#ended.has(turn);
  }

  isVoid(turn: string): boolean {
    return this.#void.has(turn);
  }

  /** The turns that began, and neither ended nor were told lost; this one aside. */
  dangling(turn: string): string[] {
    return [...this.#begun].filter((one) => one !== turn && !this.#ended.has(one) && !this.#void.has(one));
  }

  /** The last turns that ended. */
  get lastEnded(): string[] {
    return [...this.#ended].slice(-REMEMBERED);
  }
}

/** Whether bytes of a log are of one turn only, and do not end it. */
export function isOnlyOf(turn: string, bytes: Buffer): boolean {
  return linesOf(bytes).every(
    (line) => ("begin" in line && line.begin === turn) || ("part" in line && line.part === turn),
  );
}

function linesOf(bytes: Buffer): LogLine[] {
  try {
    return bytes
      .toString()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LogLine);
  } catch (cause) {
    throw unreadable(cause);
  }
}

const keyOf = (turn: string, attempt: number) => `${turn} ${attempt}`;

const encode = (line: LogLine): Buffer => Buffer.from(`${JSON.stringify(line)}\n`);

/** Splits a change whose text is too long for a block into several. */
function split(change: FileChange): FileChange[] {
  const [kind, path, text] = change;
  if ((kind !== "write" && kind !== "append") || text.length <= CHANGE_CHARS) return [change];
  const pieces: FileChange[] = [];
  for (let from = 0; from < text.length; ) {
    let to = from + CHANGE_CHARS;
    // Keeps surrogate pairs whole.
    if (/[\ud800-\udbff]/.test(text[to - 1] ?? "")) to -= 1;
    pieces.push([from === 0 ? kind : "append", path, text.slice(from, to)]);
    from = to;
  }
  return pieces;
}

/** Puts changes into groups that fit into a line each. */
function grouped(changes: FileChange[]): FileChange[][] {
  const groups: FileChange[][] = [];
  let chars = Number.POSITIVE_INFINITY;
  for (const change of changes) {
    const size = change[1].length + (change[2]?.length ?? 0);
    if (chars + size > LINE_CHARS) {
      groups.push([]);
      chars = 0;
    }
    groups.at(-1)?.push(change);
    chars += size;
  }
  return groups;
}
