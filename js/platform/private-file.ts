import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from "node:fs";

/** The id of this process's user, who may have no name; undefined on Windows. */
export const ownUid = (): number | undefined => globalThis.process?.getuid?.();

/** Whether a file, folder or socket is the user's own, and closed to all others. */
export function isPrivate({ uid, mode }: Stats, own: number | undefined = ownUid()): boolean {
  // Windows has neither: the folder of the user's profile is closed to others there.
  return own === undefined || (uid === own && (mode & 0o077) === 0);
}

/**
 * Reads a file, if it is a regular one of the user's own that is closed to all others; undefined
 * otherwise. What is checked is what is read. Throws if there is no file, or it cannot be read.
 */
export function readPrivateFile(file: string, own: number | undefined = ownUid()): string | undefined {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  let open: number;
  try {
    // Nobody's link is followed, and no pipe waited for.
    open = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if ((error as { code?: unknown }).code === "ELOOP") return undefined;
    throw error;
  }
  try {
    const stats = fstatSync(open);
    return stats.isFile() && isPrivate(stats, own) ? readFileSync(open, "utf8") : undefined;
  } finally {
    closeSync(open);
  }
}
