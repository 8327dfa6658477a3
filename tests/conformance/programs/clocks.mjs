// Two ways to let hours pass in no time: a clock that stands still until it is moved, and the real one put forward.

export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;

/** A clock that stands still until it is told to move, for a system that takes one, or in place of the process's own. */
export class SimulatedClock {
  wall = 1_700_000_000_000;
  mono = 5_000;
  #timers = new Set();

  now = () => this.wall;
  monotonic = () => this.mono;
  random = () => 0.5;

  setTimeout = (callback, ms = 0, ...args) => {
    const timer = { at: this.mono + Math.max(0, ms), callback: () => callback(...args) };
    for (const method of ["ref", "unref"]) timer[method] = () => timer;
    this.#timers.add(timer);
    return timer;
  };

  clearTimeout = (timer) => {
    this.#timers.delete(timer);
  };

  /** For systems that look at the process's clock and timers. */
  install() {
    Date.now = this.now;
    performance.now = this.monotonic;
    globalThis.setTimeout = this.setTimeout;
    globalThis.clearTimeout = this.clearTimeout;
  }

  /** Moves on; what is due on the way runs in its order, each at its time. */
  async advance(ms) {
    await settle();
    const end = this.mono + ms;
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#moveTo(Math.max(this.mono, next.at));
      this.#timers.delete(next);
      next.callback();
      await settle();
    }
    this.#moveTo(end);
  }

  /** Somebody sets the wall clock. */
  set(by) {
    this.wall += by;
  }

  #next(end) {
    let first;
    for (const timer of this.#timers) if (timer.at <= end && !(first?.at <= timer.at)) first = timer;
    return first;
  }

  #moveTo(mono) {
    this.wall += mono - this.mono;
    this.mono = mono;
  }
}

/** Lets everything run that only waits for promises. */
export async function settle() {
  for (let round = 0; round < 3; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

let ahead;

/** Puts all clocks of this process forward; timers still take their real time. MSAL reads `new Date()`. */
export function putClocksForward(ms) {
  moveClocks({ wall: ms, monotonic: ms });
}

/** Moves the wall clock and the monotonic one of this process, each by its own, back with a negative number. */
export function moveClocks({ wall = 0, monotonic = 0 }) {
  ahead ??= replaceClocks({ wall: 0, monotonic: 0 });
  ahead.wall += wall;
  ahead.monotonic += monotonic;
}

function replaceClocks(offset) {
  const RealDate = Date;
  const now = RealDate.now.bind(RealDate);
  const realMonotonic = performance.now.bind(performance);
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      super(...(args.length === 0 ? [now() + offset.wall] : args));
    }
    static now() {
      return now() + offset.wall;
    }
  };
  performance.now = () => realMonotonic() + offset.monotonic;
  return offset;
}

/** Stops the wall clock at a quarter past a full second, where rounding to seconds goes down. */
export function stopWallClock() {
  const RealDate = Date;
  const now = Math.floor(RealDate.now() / SECOND) * SECOND + SECOND / 4;
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      super(...(args.length === 0 ? [now] : args));
    }
    static now() {
      return now;
    }
  };
}

/** Milliseconds that a call really takes, whatever the clocks say. */
export async function timed(call) {
  const started = process.hrtime.bigint();
  const outcome = await call();
  return { ...outcome, ms: Number(process.hrtime.bigint() - started) / 1e6 };
}

/** Real time passes. */
export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
