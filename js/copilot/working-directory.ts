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

  /** Removes it, and what a tool has left in it. Otherwise that is done when the process ends. */
  async remove(): Promise<void> {
    this.#callOff();
    if (this.#path === undefined) return;
    await node.fs.promises.rm(this.#path, { recursive: true, force: true, maxRetries: 2 }).catch(() => {});
  }
}

/** A cleaner of temporary files may have removed it, and somebody else may have made one of the same name. */
function isOwnFolder(path: string): boolean {
  const stat = node.fs.statSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === (process.getuid?.() ?? stat.uid);
}
