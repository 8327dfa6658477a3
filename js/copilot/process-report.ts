/** The part that the types of Node 20 leave out. */
interface Report {
  /** Since Node 20.13. */
  excludeNetwork?: boolean;
}

let users = 0;
let before = false;

/**
 * Does work that asks Node for a report of the process, as the Copilot SDK does to tell the C library. Such a report looks up the name of
 * every open connection's other end, one after another, while nothing else runs: five seconds each where nobody answers. Here it leaves
 * connections out.
 */
export async function withoutLookups<T>(work: () => Promise<T>): Promise<T> {
  const report = globalThis.process?.report as Report | undefined;
  if (report?.excludeNetwork === undefined) return work();
  if (users === 0) before = report.excludeNetwork;
  users += 1;
  report.excludeNetwork = true;
  try {
    return await work();
  } finally {
    users -= 1;
    if (users === 0) report.excludeNetwork = before;
  }
}
