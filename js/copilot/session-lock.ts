import { KeylessError } from "../errors/keyless-error.js";
import { systemClock, unref } from "../platform/clock.js";
import { atExit, node } from "../platform/node.js";

/** Who holds a session. */
interface Holder {
  pid: number;
  /** The machine, or the container: numbers of processes count within it. */
  host: string;
  /** When that process was started, where the platform tells: numbers of processes come again. */
  started?: string | undefined;
}

/** How often a lock is touched, so that others can tell whether its holder lives. */
const TOUCH_MS = 10_000;

/** After how long without a touch a lock counts as left behind, where nobody can tell whether its process lives. */
const LEFT_BEHIND_MS = 60_000;

/** How often to try where several try at the same time. */
const TRIES = 3;

const FOLDER = "copilot-keyless-locks";

/**
 * Keeps a session to one conversation, among all processes that use one home folder: two would write the same history, each without what
 * the other says. A lock that a dead process has left is removed.
 *
 * Each holder has a file of a name that never comes again, in a folder of the session's own. Whoever finds the file of another that lives
 * takes the own one back.
 */
export class SessionLock {
  readonly #folder: string;
  readonly #file: string;
  readonly #text = JSON.stringify(ownHolder());
  readonly #touching: ReturnType<typeof setInterval>;
  readonly #callOff: () => void;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#file = `${process.pid}-${systemClock.random().toString(36).slice(2)}.json`;
    this.#write();
    this.#touching = setInterval(() => this.#touch(), TOUCH_MS);
    unref(this.#touching);
    this.#callOff = atExit(() => this.release());
  }

  /**
   * Takes the lock of a session; nothing where somebody else has it.
   *
   * @throws what the file system says where the home folder cannot be written to
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

  /** Whether nobody has taken it over. One that was deleted, with the home folder perhaps, is made again. */
  isOwn(): boolean {
    if (!node.fs.existsSync(this.#path(this.#file))) this.#write();
    return this.#others().length === 0;
  }

  release(): void {
    this.#callOff();
    clearInterval(this.#touching);
    try {
      node.fs.rmSync(this.#path(this.#file), { force: true });
      node.fs.rmdirSync(this.#folder);
    } catch {
      // Somebody else is in the folder, or it is gone.
    }
  }

  /** Others who live; what dead ones have left is removed. */
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
    // The folder may be removed by its last holder in between.
    for (let tries = 1; ; tries += 1) {
      try {
        node.fs.mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
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

/** The machine's name, with the number of the container where there is one. */
function thisHost(): string {
  try {
    return `${node.os.hostname()} ${node.fs.readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return node.os.hostname();
  }
}

function isHeld(path: string): boolean {
  const touched = node.fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const isFresh = systemClock.now() - touched < LEFT_BEHIND_MS;
  const { pid, host, started } = holderOf(path);
  if (pid === undefined || host !== thisHost()) return isFresh;
  if (!isRunning(pid)) return false;
  return started === undefined ? isFresh : started === startOf(pid);
}

/** Empty where it is being written, or was cut off by a full disk. */
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

/** When a process was started, in ticks since the boot; known on Linux. */
function startOf(pid: number): string | undefined {
  try {
    const stat = node.fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name, may hold spaces and brackets.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

export function sessionOpen(id: string): KeylessError {
  return new KeylessError("agent/session-open", `The session ${id} is open in another conversation`, {
    hint: "Go on with that one, or close it first.",
  });
}
