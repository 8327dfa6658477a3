// What a run has shown.

/** What is left of a hung credential when it answers again: a late acquisition, a pause before the next. */
const HANG_GRACE_MS = 1_800;

const EXAMPLES = 5;

export class Tally {
  phase = "warm up";
  /** Turns of good callers, each `{ server, phase, began, ended, code?, lost? }`. */
  turns = [];
  /** What hostile callers were told, by sort and code. */
  hostile = {};
  /** Answers that no hostile caller should get. */
  wrong = [];
  revocations = { made: 0, met: 0 };
  cuts = 0;
  servers = {};
  held = { held: {}, logs: {} };
  ranMs = 0;
  #windows = [];
  #cutsOfFunctions = [];
  #unmet = false;
  #read = 0;

  turn(turn) {
    this.turns.push({ ...turn, phase: this.phase });
  }

  bad({ server, sort, code, lost, status }) {
    const told = lost ?? code ?? status ?? "left";
    this.hostile[sort] ??= {};
    const by = this.hostile[sort];
    by[told] = (by[told] ?? 0) + 1;
    if (this.wrong.length < EXAMPLES && isWrong(sort, { code, status }))
      this.wrong.push(`${sort} of ${server}: ${told}`);
  }

  revoked() {
    this.revocations.made += 1;
    this.#unmet = true;
  }

  /** The credential hangs from now on. Returns the way to say that it does no more. */
  hangs() {
    const window = { from: performance.now(), to: Number.POSITIVE_INFINITY };
    this.#windows.push(window);
    return () => {
      window.to = performance.now() + HANG_GRACE_MS;
    };
  }

  /** Reads what is new in the emulator's log. */
  read(requests) {
    for (const record of requests) {
      if (record.id <= this.#read) continue;
      // It is not answered yet.
      if (record.durationMs === undefined && !record.aborted && record.at > Date.now() - 2_000) return;
      this.#read = record.id;
      if (record.authorization?.verdict === "revoked" && this.#unmet) {
        this.#unmet = false;
        this.revocations.met += 1;
      }
      if (record.fault === "cut-stream" && record.aborted) {
        this.cuts += 1;
        this.#cutsOfFunctions.push(record.at - Date.now() + performance.now());
      }
    }
  }

  /** Whether something that nobody can answer was under way: the credential hung, or the turn's own stream may have been cut. */
  isInsideFaults({ server, began, ended, code, lost }) {
    if (this.#windows.some(({ from, to }) => began < to && ended > from)) return true;
    return (
      server === "functions" &&
      (code ?? lost) !== undefined &&
      this.#cutsOfFunctions.some((at) => at > began && at < ended)
    );
  }
}

/** Whether a caller who should be refused was not, or a cut stream was told as an answer. */
function isWrong(sort, { code, status }) {
  if (code === undefined && status === undefined) return false;
  if (sort === "cut stream") return code === undefined;
  const refused = code?.startsWith("chat/") && !["chat/unexpected", "chat/timeout"].includes(code);
  return ["slow writer", "giant", "wrong type", "stranger"].includes(sort) && !refused;
}
