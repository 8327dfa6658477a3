import { KeylessError } from "./errors.js";

/** The folders of this process, to be removed with it. */
const folders = new Set<string>();
let removing = false;

/**
 * A folder for one conversation alone, which nobody else may open; the one of `before` where there was one. Removed by
 * {@link removeWorkingDirectory}, else with the process.
 */
export function makeWorkingDirectory(before?: string): string {
  const { fs, os, path } = node();
  try {
    if (before !== undefined) {
      fs.mkdirSync(before, { recursive: true, mode: 0o700 });
      return before;
    }
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "copilot-keyless-work-"));
    folders.add(folder);
    if (!removing) {
      removing = true;
      process.once("exit", () => {
        for (const left of folders) fs.rmSync(left, { recursive: true, force: true });
      });
    }
    return folder;
  } catch (cause) {
    throw new KeylessError(
      "sdk/working-directory",
      `There is no folder for the conversation's files: ${os.tmpdir()} cannot be written to`,
      { hint: "Set TMPDIR to a folder that can, or give one as session: { workingDirectory }.", cause },
    );
  }
}

/** Removes one of them, and what a tool has left in it. */
export async function removeWorkingDirectory(folder: string): Promise<void> {
  folders.delete(folder);
  await node()
    .fs.promises.rm(folder, { recursive: true, force: true, maxRetries: 2 })
    .catch(() => {});
}

function node() {
  const load = globalThis.process?.getBuiltinModule;
  return { fs: load("node:fs"), os: load("node:os"), path: load("node:path") };
}
