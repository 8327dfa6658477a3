/** The part of `process.report` that the types of Node 20 lack. */
interface Report {
  /** Since Node 20.13. */
  excludeNetwork?: boolean;
}

let users = 0;
let earlier = false;

/**
 * Runs work that asks Node for a process report, as the Copilot SDK does to detect the C library. A
 * report looks up the host name of every open connection, one after another, and blocks the process
 * meanwhile: five seconds each when DNS does not answer. During this work reports leave connections
 * out.
 */
export async function withoutLookups<T>(work: () => Promise<T>): Promise<T> {
  const report = globalThis.process?.report as Report | undefined;
  if (report?.excludeNetwork === undefined) return work();
  if (users === 0) earlier = report.excludeNetwork;
  users += 1;
  report.excludeNetwork = true;
  try {
    return await work();
  } finally {
    users -= 1;
    if (users === 0) report.excludeNetwork = earlier;
  }
}
