import { KeylessError } from "../errors/keyless-error.js";
import { systemClock, unref } from "../platform/clock.js";
import { atExit, makeFolder, node } from "../platform/node.js";

/** The process that holds a session. */
interface Holder {
  pid: number;
  /** The machine or the container, within which process ids are unique. */
  host: string;
  /** When the process was started, if the platform tells: process ids are reused. */
  started?: string | undefined;
}

/**
 * How often the lock file is touched, in milliseconds, so that others can see that its holder is
 * alive.
 */
const TOUCH_MS = 10_000;

/**
 * After how many milliseconds without a touch a lock counts as abandoned, if its process cannot be
 * checked.
 */
const ABANDONED_MS = 60_000;

/** How often to retry when several processes try at the same time. */
const TRIES = 3;

const FOLDER = "copilot-keyless-locks";

/**
 * Reserves a session for one conversation among all processes that share a home folder: two
 * conversations would overwrite each other's history. Locks of dead processes are removed.
 *
 * Each holder writes a file with a unique name into the session's lock folder. A process that finds
 * another live holder's file removes its own.
 */
export class SessionLock {
  readonly #folder: string;
  readonly #file: string;
  readonly #text = JSON.stringify(ownHolder());
  readonly #touching: ReturnType<typeof setInterval>;
  readonly #cancelRelease: () => void;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#file = `${process.pid}-${systemClock.random().toString(36).slice(2)}.json`;
    this.#write();
    this.#touching = setInterval(() => this.#touch(), TOUCH_MS);
    unref(this.#touching);
    this.#cancelRelease = atExit(() => this.release());
  }

  /**
   * Takes the lock of a session. Returns undefined if another conversation holds it.
   *
   * @throws the file system's error if the home folder is not writable
   */
  static take(home: string, sessionId: string): SessionLock | undefined {
    const name = encodeURIComponent(sessionId).replace(/[*.]/g, "_").slice(0, 200);
    const folder = node.path.join(home, FOLDER, name);
    for (let tries = 0; tries < TRIES; tries += 1) {
      const lock = new SessionLock(folder);
      if (lock.#others().length === 0) return lock;
      lock.release();
    }
    return undefined;
  }

  /**
   * Whether this conversation still holds the lock. A lock file that was deleted is written again.
   */
  isOwn(): boolean {
    if (!node.fs.existsSync(this.#path(this.#file))) this.#write();
    return this.#others().length === 0;
  }

  release(): void {
    this.#cancelRelease();
    clearInterval(this.#touching);
    try {
      node.fs.rmSync(this.#path(this.#file), { force: true });
      node.fs.rmdirSync(this.#folder);
    } catch {
      // The folder is gone, or has another holder.
    }
  }

  /** The files of other live holders. Those of dead ones are removed. */
  #others(): string[] {
    return node.fs
      .readdirSync(this.#folder)
      .filter((file) => file !== this.#file)
      .filter((file) => {
        const path = this.#path(file);
        if (isHeld(path)) return true;
        node.fs.rmSync(path, { force: true });
        return false;
      });
  }

  #write(): void {
    // Its last holder may remove the folder in between.
    for (let tries = 1; ; tries += 1) {
      try {
        makeFolder(this.#folder, 0o700);
        node.fs.writeFileSync(this.#path(this.#file), this.#text, { mode: 0o600 });
        return;
      } catch (error) {
        if (tries === TRIES || (error as { code?: string }).code !== "ENOENT") throw error;
      }
    }
  }

  #touch(): void {
    const now = new Date(systemClock.now());
    node.fs.utimes(this.#path(this.#file), now, now, () => {});
  }

  #path(file: string): string {
    return node.path.join(this.#folder, file);
  }
}

function ownHolder(): Holder {
  return { pid: process.pid, host: thisHost(), started: startOf(process.pid) };
}

/** The machine's name, and the container's process namespace if there is one. */
function thisHost(): string {
  try {
    return `${node.os.hostname()} ${node.fs.readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return node.os.hostname();
  }
}

function isHeld(path: string): boolean {
  const touched = node.fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const isFresh = systemClock.now() - touched < ABANDONED_MS;
  const { pid, host, started } = holderOf(path);
  if (pid === undefined || host !== thisHost()) return isFresh;
  if (!isRunning(pid)) return false;
  return started === undefined ? isFresh : started === startOf(pid);
}

/** Reads a lock file. Empty if it is still being written, or was cut off by a full disk. */
function holderOf(path: string): Partial<Holder> {
  try {
    return JSON.parse(node.fs.readFileSync(path, "utf8")) as Partial<Holder>;
  } catch {
    return {};
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

/** When a process was started, in ticks since boot. Known on Linux only. */
function startOf(pid: number): string | undefined {
  try {
    const stat = node.fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name, may contain spaces and brackets.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

export function sessionOpen(id: string): KeylessError {
  return new KeylessError("agent/session-open", `The session ${id} is open in another conversation`, {
    hint: "Continue that one, or close it first.",
  });
}
