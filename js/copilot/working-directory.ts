import { KeylessError } from "../errors/keyless-error.js";
import { atExit, node } from "../platform/node.js";

/** An empty folder for one conversation alone, which no other user may open. */
export class WorkingDirectory {
  #path: string | undefined;
  #callOff: () => void = () => {};

  /** The folder, made when it is missing. */
  path(): string {
    if (this.#path !== undefined && isOwnFolder(this.#path)) return this.#path;
    try {
      this.#callOff();
      const path = node.fs.mkdtempSync(node.path.join(node.os.tmpdir(), "copilot-keyless-work-"));
      this.#path = path;
      this.#callOff = atExit(() => node.fs.rmSync(path, { recursive: true, force: true }));
      return path;
    } catch (cause) {
      throw new KeylessError(
        "sdk/working-directory",
        `There is no folder for the conversation's files: ${node.os.tmpdir()} cannot be written to`,
        { hint: "Set TMPDIR to a folder that can, or give one as session: { workingDirectory }.", cause },
      );
    }
  }

  /**
   * Removes it, and what a tool has left in it. Otherwise, or where Windows refuses because a process still
   * works in it, that is done when this process ends.
   */
  async remove(): Promise<void> {
    if (this.#path === undefined) return;
    try {
      await node.fs.promises.rm(this.#path, { recursive: true, force: true, maxRetries: 2 });
      this.#callOff();
    } catch {
      // At the end of the process it is tried again.
    }
  }
}

/** A cleaner of temporary files may have removed it, and somebody else may have made one of the same name. */
function isOwnFolder(path: string): boolean {
  const stat = node.fs.statSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === (process.getuid?.() ?? stat.uid);
}
