// Finds the descendants of a process, their memory and their environment. Linux only.

import { readdirSync, readFileSync } from "node:fs";

const PAGE_BYTES = 4_096;

/** Returns the ids of a process's children; none if it has ended or there is no /proc. */
export function childrenOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** Returns all descendants of a process. */
export function descendantsOf(pid) {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Returns the resident memory of a process; 0 if it has ended or there is no /proc. */
export function residentBytes(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}

/** Returns the resident memory of all descendants of a process. */
export function residentBytesBelow(pid) {
  return descendantsOf(pid).reduce((bytes, child) => bytes + residentBytes(child), 0);
}

/** The unit of the times in /proc, which Linux has fixed. */
const TICK_MS = 10;

/**
 * Returns the CPU time of a process, in milliseconds: user and system, its own and that of all its
 * descendants, those that have ended included. 0 if there is no /proc.
 */
export function cpuMsOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name, may contain spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [user, system, usersEnded, systemsEnded] = fields.slice(11, 15).map(Number);
    const own = (user + system + usersEnded + systemsEnded) * TICK_MS;
    return childrenOf(pid).reduce((ms, child) => ms + cpuMsOf(child), own);
  } catch {
    return 0;
  }
}

/** Whether a process runs. A zombie (ended, not yet waited for) does not. */
export function runs(pid) {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Returns the environment with which a process was started. */
export function environmentOf(pid) {
  const text = readFileSync(`/proc/${pid}/environ`, "utf8");
  return Object.fromEntries(text.split("\0").map((line) => line.split(/=(.*)/s).slice(0, 2)));
}
