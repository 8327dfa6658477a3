import { posix } from "node:path";
import type { SessionFsFileInfo, SessionFsProvider } from "@github/copilot-sdk";
import { wellFormed } from "../platform/well-formed.js";

/** A change of the files, as it is written to the log. */
export type FileChange =
  | ["write", path: string, text: string]
  | ["append", path: string, text: string]
  | ["mkdir", path: string]
  | ["rm", path: string]
  | ["rename", from: string, to: string];

interface File {
  text: string;
  /** Epoch milliseconds. */
  created: number;
  changed: number;
}

type Directory = Omit<File, "text"> & { text?: undefined };

/**
 * The files of one session, in memory: they behave as those of a disk do, and every change of them
 * is noted. Text only, as the SDK's interface has it; permissions are ignored.
 */
export class SessionFiles implements SessionFsProvider {
  readonly #entries = new Map<string, File | Directory>([["/", { created: 0, changed: 0 }]]);
  readonly #now: () => number;
  #changes: FileChange[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Makes changes that were written earlier, at that time. */
  replay(changes: readonly FileChange[], at: number): void {
    for (const change of changes) this.#apply(change, at);
  }

  /** The changes since the last call. */
  takeChanges(): FileChange[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  /** Changes that make the same files from none. */
  snapshot(): FileChange[] {
    return [...this.#entries]
      .filter(([path]) => path !== "/")
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, { text }]) => (text === undefined ? ["mkdir", path] : ["write", path, text]));
  }

  async readFile(path: string): Promise<string> {
    return this.#file(path).text;
  }

  async writeFile(path: string, content: string): Promise<void> {
    this.#put("write", path, content);
  }

  async appendFile(path: string, content: string): Promise<void> {
    this.#put("append", path, content);
  }

  async exists(path: string): Promise<boolean> {
    return this.#entries.has(full(path));
  }

  async stat(path: string): Promise<SessionFsFileInfo> {
    const { text, created, changed } = this.#entry(path);
    return {
      isFile: text !== undefined,
      isDirectory: text === undefined,
      size: text === undefined ? 0 : Buffer.byteLength(text),
      mtime: new Date(changed).toISOString(),
      birthtime: new Date(created).toISOString(),
    };
  }

  async mkdir(path: string, recursive: boolean): Promise<void> {
    const target = full(path);
    const existing = this.#entries.get(target);
    if (existing && (!recursive || existing.text !== undefined)) throw failure("EEXIST", path);
    if (existing) return;
    if (recursive) this.#checkParents(target);
    else if (this.#entry(posix.dirname(target)).text !== undefined) throw failure("ENOTDIR", path);
    this.#note(["mkdir", target]);
  }

  async readdir(path: string): Promise<string[]> {
    return (await this.readdirWithTypes(path)).map(({ name }) => name);
  }

  async readdirWithTypes(path: string): Promise<{ name: string; type: "file" | "directory" }[]> {
    if (this.#entry(path).text !== undefined) throw failure("ENOTDIR", path);
    return this.#children(full(path)).map((child) => ({
      name: posix.basename(child),
      type: this.#entries.get(child)?.text === undefined ? "directory" : "file",
    }));
  }

  async rm(path: string, recursive: boolean, force: boolean): Promise<void> {
    const target = full(path);
    if (force && !this.#entries.has(target)) return this.#checkParents(target);
    if (this.#entry(path).text === undefined && !recursive) throw failure("EISDIR", path);
    this.#note(["rm", target]);
  }

  async rename(src: string, dest: string): Promise<void> {
    const [from, to] = [full(src), full(dest)];
    const isDirectory = this.#entry(src).text === undefined;
    if (from === to) return;
    if (this.#entry(posix.dirname(to)).text !== undefined) throw failure("ENOTDIR", dest);
    if (to.startsWith(`${from}/`)) throw failure("EINVAL", dest);
    const existing = this.#entries.get(to);
    if (existing && isDirectory && existing.text !== undefined) throw failure("ENOTDIR", dest);
    if (existing && !isDirectory && existing.text === undefined) throw failure("EISDIR", dest);
    if (existing && isDirectory && this.#children(to).length > 0) throw failure("ENOTEMPTY", dest);
    this.#note(["rename", from, to]);
  }

  #put(kind: "write" | "append", path: string, content: string): void {
    const target = full(path);
    const existing = this.#entries.get(target);
    if (existing && existing.text === undefined) throw failure("EISDIR", path);
    this.#checkParents(target);
    const text = wellFormed(content);
    const last = this.#changes.at(-1);
    // The runtime appends several times a turn.
    if (kind === "append" && last?.[0] === "append" && last[1] === target) {
      last[2] += text;
      this.#apply([kind, target, text], this.#now());
    } else this.#note([kind, target, text]);
  }

  #note(change: FileChange): void {
    this.#changes.push(change);
    this.#apply(change, this.#now());
  }

  #apply([kind, path, more]: FileChange, at: number): void {
    if (kind === "rm") {
      for (const one of this.#tree(path)) if (one !== "/") this.#entries.delete(one);
    } else if (kind === "rename") {
      this.#entries.delete(more);
      for (const one of this.#tree(path)) {
        this.#entries.set(more + one.slice(path.length), this.#entries.get(one) as File);
        this.#entries.delete(one);
      }
    } else {
      for (const parent of parentsOf(path))
        if (!this.#entries.has(parent)) this.#entries.set(parent, { created: at, changed: at });
      const { text = "", created = at } = this.#entries.get(path) ?? {};
      if (kind === "mkdir") this.#entries.set(path, { created, changed: at });
      else this.#entries.set(path, { text: kind === "append" ? text + more : more, created, changed: at });
    }
  }

  #entry(path: string): File | Directory {
    const target = full(path);
    const found = this.#entries.get(target);
    if (found) return found;
    this.#checkParents(target);
    throw failure("ENOENT", path);
  }

  #file(path: string): File {
    const entry = this.#entry(path);
    if (entry.text === undefined) throw failure("EISDIR", path);
    return entry;
  }

  /** @throws ENOTDIR if one of the folders above is a file */
  #checkParents(target: string): void {
    for (const parent of parentsOf(target))
      if (this.#entries.get(parent)?.text !== undefined) throw failure("ENOTDIR", target);
  }

  #children(path: string): string[] {
    return [...this.#entries.keys()].filter((one) => one !== "/" && posix.dirname(one) === path).sort();
  }

  /** The entry and all that is in it. */
  #tree(path: string): string[] {
    const inside = path === "/" ? "/" : `${path}/`;
    return [...this.#entries.keys()].filter((one) => one === path || one.startsWith(inside));
  }
}

function full(path: string): string {
  return posix.resolve("/", path);
}

/** The folders above a path, the nearest first. */
function parentsOf(path: string): string[] {
  const parents: string[] = [];
  for (let one = posix.dirname(path); one !== "/"; one = posix.dirname(one)) parents.push(one);
  return parents;
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
