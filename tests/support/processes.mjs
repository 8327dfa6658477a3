// Processes below one, their memory and their environment, as Linux lists them.

import { readdirSync, readFileSync } from "node:fs";

const PAGE_BYTES = 4_096;

/** The ids of a process's children; none where it has ended, or where there is no /proc. */
export function childrenOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** Everything below a process. */
export function descendantsOf(pid) {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** The resident memory of a process; 0 where it has ended, or where there is no /proc. */
export function residentBytes(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}

/** The resident memory of everything below a process. */
export function residentBytesBelow(pid) {
  return descendantsOf(pid).reduce((bytes, child) => bytes + residentBytes(child), 0);
}

/** Whether a process runs. One that has ended and was not waited for yet (a zombie) does not. */
export function runs(pid) {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** The variables that a process was started with. */
export function environmentOf(pid) {
  const text = readFileSync(`/proc/${pid}/environ`, "utf8");
  return Object.fromEntries(text.split("\0").map((line) => line.split(/=(.*)/s).slice(0, 2)));
}
