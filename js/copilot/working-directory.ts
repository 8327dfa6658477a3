import { KeylessError } from "../errors/keyless-error.js";
import { atExit, node } from "../platform/node.js";

/** An empty temporary folder for one conversation, which other users cannot open. */
export class WorkingDirectory {
  #path: string | undefined;
  #cancelRemoval: () => void = () => {};

  /** The path of the folder, which is created if it is missing. */
  path(): string {
    if (this.#path !== undefined && isOwnFolder(this.#path)) return this.#path;
    try {
      this.#cancelRemoval();
      const path = node.fs.mkdtempSync(node.path.join(node.os.tmpdir(), "copilot-keyless-work-"));
      this.#path = path;
      this.#cancelRemoval = atExit(() => node.fs.rmSync(path, { recursive: true, force: true }));
      return path;
    } catch (cause) {
      throw new KeylessError(
        "sdk/working-directory",
        `No folder for the conversation's files could be created in ${node.os.tmpdir()}`,
        { hint: "Set TMPDIR to a writable folder, or pass one as session: { workingDirectory }.", cause },
      );
    }
  }

  /**
   * Removes the folder and the files in it. Without this call, or if Windows refuses because a
   * process still works in it, it is removed when this process ends.
   */
  async remove(): Promise<void> {
    const [path, cancelRemoval] = [this.#path, this.#cancelRemoval];
    if (path === undefined) return;
    this.#path = undefined;
    this.#cancelRemoval = () => {};
    try {
      await node.fs.promises.rm(path, { recursive: true, force: true, maxRetries: 2 });
      cancelRemoval();
    } catch {
      // Tried again when the process ends.
    }
  }
}

/**
 * A cleanup job may have removed the folder, and another user may have created one of the same
 * name.
 */
function isOwnFolder(path: string): boolean {
  const stat = node.fs.statSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === (process.getuid?.() ?? stat.uid);
}
