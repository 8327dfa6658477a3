// Runs all cells, a few at a time, and collects their verdicts.

import { setMaxListeners } from "node:events";
import { availableParallelism, cpus } from "node:os";
import { versionsOf } from "../versions.mjs";
import { runCell } from "./cell.mjs";
import { CONTENDERS } from "./contenders.mjs";
import { problemsOf } from "./judge.mjs";

/** Cells that run at once. They mostly wait, so two cores are enough for them. */
const AT_ONCE = 5;

/** Runs some faults against every contender. `onCell` receives each finished cell. */
export async function runFaults(faults, { signal, onCell }) {
  // Every running cell adds a listener.
  setMaxListeners(0, signal);
  const todo = faults.flatMap((fault) => Object.keys(CONTENDERS).map((contender) => ({ fault, contender })));
  const done = new Map();
  const next = todo.values();
  const work = async () => {
    for (const { fault, contender } of next) {
      if (signal.aborted) return;
      const reason = skipped(fault);
      const cell = reason === undefined ? await runCell(fault, contender, signal) : { skipped: reason };
      if (cell === undefined) return;
      done.set(`${fault.id} ${contender}`, cell);
      onCell({ fault, contender, cell, done: done.size, of: todo.length });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return faults.map((fault) => rowOf(fault, done)).filter(Boolean);
}

/**
 * Returns why a fault cannot be played here, or undefined. Sending signals to processes and finding
 * them needs Linux.
 */
export function skipped(fault, platform = process.platform) {
  const needsLinux = fault.group === "process" || fault.id.startsWith("suspend");
  if (needsLinux && platform !== "linux") return "on Linux only";
  return fault.skipped?.();
}

/** Returns a fault with its cells and a verdict, or undefined when some of them did not run. */
function rowOf(fault, done) {
  const { id, group, title } = fault;
  const cells = Object.fromEntries(Object.keys(CONTENDERS).map((name) => [name, done.get(`${id} ${name}`)]));
  if (Object.values(cells).includes(undefined)) return undefined;
  const skipped = Object.values(cells).find((cell) => cell.skipped)?.skipped;
  const verdict = skipped ? { verdict: "skipped", skipped, problems: [] } : verdictOf(cells);
  return { id, group, title, ...verdict, cells };
}

/** Judges the cells of our contenders. */
export function verdictOf(cells) {
  const ours = Object.keys(CONTENDERS).filter((name) => CONTENDERS[name].ours);
  const problems = ours.flatMap((name) =>
    problemsOf(cells[name]).map((problem) => `${CONTENDERS[name].title}: ${problem}`),
  );
  return { verdict: problems.length === 0 ? "ok" : "failed", problems };
}

/** Describes the machine and the versions. */
export function machine() {
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    versions: versionsOf(
      "@azure/identity",
      "@azure/msal-node",
      "@azure/core-rest-pipeline",
      "@github/copilot-sdk",
    ),
  };
}
