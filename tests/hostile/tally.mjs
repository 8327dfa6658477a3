// Counts the events of a run.

/**
 * How long a hung credential has an effect after it answers again: a late acquisition, a pause
 * before the next.
 */
const HANG_GRACE_MS = 1_800;

/**
 * A call of the edge handler tries three tokens. It cannot be answered when each is revoked before
 * its use.
 */
const TOKENS_TRIED = 3;

const EXAMPLES = 5;

export class Tally {
  phase = "warm up";
  /** Turns of good callers, each `{ server, phase, began, ended, code?, lost? }`. */
  turns = [];
  /** Answers to hostile callers, by kind and code. */
  hostile = {};
  /** Answers that no hostile caller should get. */
  wrong = [];
  revocations = { made: 0, met: 0 };
  cuts = 0;
  servers = {};
  held = { held: {}, logs: {} };
  ranMs = 0;
  /** When the credential hung. */
  hangs = [];
  #runtimeCuts = [];
  #revoked = [];
  #unsettled = [];
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

  /** Records that all tokens are revoked. */
  revokes() {
    this.#revoked.push(performance.now());
  }

  /** Records that the credential hangs. Returns a function that records its end. */
  credentialHangs() {
    const window = { from: performance.now(), to: Number.POSITIVE_INFINITY };
    this.hangs.push(window);
    return () => {
      window.to = performance.now() + HANG_GRACE_MS;
    };
  }

  /** Reads new entries of the emulator's log: which streams were cut. */
  read(requests) {
    for (const record of requests) {
      if (record.id <= this.#read) continue;
      this.#read = record.id;
      if (record.fault === "cut-stream") this.#unsettled.push(record);
    }
    this.#unsettled = this.#unsettled.filter((record) => {
      if (!record.aborted) return true;
      this.cuts += 1;
      return false;
    });
  }

  /** Records that a stream of the runtime is about to be cut. */
  cutsRuntime() {
    this.#runtimeCuts.push(performance.now());
  }

  /** Whether a stream of the runtime was cut during a turn; it may have been this turn's. */
  mayHaveBeenCut({ server, began, ended }) {
    return server === "functions" && this.#runtimeCuts.some((at) => at > began && at < ended);
  }

  /**
   * Whether a turn met something that nobody can answer: the credential hung, every token that the
   * call could try was revoked, or its own stream may have been cut.
   */
  isInsideFaults(turn) {
    const { began, ended, code, lost } = turn;
    if (this.hangs.some(({ from, to }) => began < to && ended > from)) return true;
    const revoked = this.#revoked.filter((at) => at > began && at < ended).length;
    if (code === "model/token-invalid" && revoked >= TOKENS_TRIED) return true;
    return (code ?? lost) !== undefined && this.mayHaveBeenCut(turn);
  }
}

/**
 * Whether a caller who should be refused was answered, or a cut stream was reported as an answer.
 */
function isWrong(sort, { code, status }) {
  if (code === undefined && status === undefined) return false;
  if (sort === "cut stream") return code === undefined;
  const refused = code?.startsWith("chat/") && !["chat/unexpected", "chat/timeout"].includes(code);
  return ["slow writer", "giant", "wrong type", "stranger"].includes(sort) && !refused;
}
