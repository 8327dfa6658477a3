import { systemClock, unref } from "./clock.js";
import { KeylessError } from "./errors.js";

/** Who holds a session. */
interface Holder {
  pid: number;
  host: string;
  /** When that process was started, where the platform tells: numbers of processes come again. */
  started: string | undefined;
  /** Tells the locks of one process apart. */
  nonce: string;
}

/** How often a lock is touched, so that other hosts can tell whether its holder lives. */
const TOUCH_MS = 10_000;

/** After how long without a touch the lock of another host counts as left behind. */
const LEFT_BEHIND_MS = 60_000;

const FOLDER = "copilot-keyless-locks";

/**
 * Keeps a session to one conversation, among all processes that use one home folder: two would write the same history, each without what
 * the other says. A lock that a dead process has left is taken over.
 */
export class SessionLock {
  readonly #path: string;
  readonly #text: string;
  readonly #touching: ReturnType<typeof setInterval>;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
    this.#touching = setInterval(() => this.#touch(), TOUCH_MS);
    unref(this.#touching);
  }

  /** Takes the lock of a session; nothing where somebody else has it. */
  static take(home: string, sessionId: string): SessionLock | undefined {
    const { fs, path } = node();
    const folder = path.join(home, FOLDER);
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = path.join(folder, `${encodeURIComponent(sessionId).slice(0, 200)}.json`);
    const text = JSON.stringify(self());
    for (let tries = 0; tries < 3; tries += 1) {
      if (create(file, text)) return new SessionLock(file, text);
      const found = read(file);
      if (found === undefined) continue;
      if (isHeld(found, file)) return undefined;
      remove(file, found);
    }
    return undefined;
  }

  /** Whether nobody has taken it over. One that was deleted, with the home folder perhaps, is made again. */
  isOwn(): boolean {
    const { fs, path } = node();
    if (read(this.#path) === undefined) {
      fs.mkdirSync(path.dirname(this.#path), { recursive: true, mode: 0o700 });
      create(this.#path, this.#text);
    }
    return read(this.#path) === this.#text;
  }

  release(): void {
    clearInterval(this.#touching);
    remove(this.#path, this.#text);
  }

  #touch(): void {
    const now = new Date(systemClock.now());
    node().fs.utimes(this.#path, now, now, () => {});
  }
}

function self(): Holder {
  const { os } = node();
  return {
    pid: process.pid,
    host: os.hostname(),
    started: startOf(process.pid),
    nonce: systemClock.random().toString(36).slice(2),
  };
}

/** Makes the file with all that it holds, unless there is one. */
function create(file: string, text: string): boolean {
  const { fs } = node();
  const draft = `${file}.${process.pid}.${systemClock.random().toString(36).slice(2)}`;
  try {
    fs.writeFileSync(draft, text, { mode: 0o600 });
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "EEXIST") return false;
    // A file system without links.
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS") throw error;
    return createAlone(file, text);
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

function createAlone(file: string, text: string): boolean {
  try {
    node().fs.writeFileSync(file, text, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") return false;
    throw error;
  }
}

function read(file: string): string | undefined {
  try {
    return node().fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function isHeld(text: string, file: string): boolean {
  const { fs, os } = node();
  const touched = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const isFresh = systemClock.now() - touched < LEFT_BEHIND_MS;
  let holder: Partial<Holder>;
  try {
    holder = JSON.parse(text) as Partial<Holder>;
  } catch {
    // Being written, or cut off by a full disk.
    return isFresh;
  }
  const { pid, host, started } = holder;
  if (host !== os.hostname() || typeof pid !== "number") return isFresh;
  return isRunning(pid) && (started === undefined || started === startOf(pid));
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
  const stat = read(`/proc/${pid}/stat`);
  // The second field, the program's name, may hold spaces and brackets.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

/** Removes a lock if it is still the one that was read: another may have come meanwhile. */
function remove(file: string, text: string): void {
  const { fs } = node();
  const aside = `${file}.${process.pid}.${systemClock.random().toString(36).slice(2)}`;
  try {
    if (read(file) !== text) return;
    fs.renameSync(file, aside);
    if (read(aside) !== text) fs.linkSync(aside, file);
  } catch {
    // Somebody else was quicker, or the folder is gone.
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

function node() {
  const load = globalThis.process?.getBuiltinModule;
  return { fs: load("node:fs"), os: load("node:os"), path: load("node:path") };
}

export function sessionOpen(id: string): KeylessError {
  return new KeylessError("agent/session-open", `The session ${id} is open in another conversation`, {
    hint: "Go on with that one, or close it first.",
  });
}
