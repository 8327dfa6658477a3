import { type Diagnosis, KeylessError, type Notice } from "copilot-keyless";
import ms from "ms";
import yoctoSpinner from "yocto-spinner";
import { redact } from "../errors/redact.js";
import { systemClock } from "../platform/clock.js";
import { clean, json, oneLine } from "./clean.js";
import { out } from "./colors.js";

/** What a check found. With a diagnosis it failed. */
export interface Finding {
  detail: string;
  /** There was nothing to check, or no way to. */
  skipped?: boolean;
  warnings?: readonly Notice[] | undefined;
  diagnosis?: Diagnosis;
  /** Whose words the diagnosis quotes. */
  speaker?: string;
  /** More for `--json`. */
  data?: object;
}

/** A check and what came of it; `--json` prints these. */
interface Check {
  name: string;
  status: "passed" | "warned" | "failed" | "skipped";
  ms: number;
  detail: string;
  warnings: readonly Notice[];
  [data: string]: unknown;
}

/** How long a signal may take to be seen, in milliseconds. */
const SIGNAL_MS = 50;

/** How long a check that was stopped may clear up, in milliseconds. */
const CLEAR_UP_MS = 1_000;

/** What is wrong, and what mends it. */
interface Problem {
  code: string;
  message: string;
  /** Azure's own words, or the network's. */
  said?: string | undefined;
  speaker?: string | undefined;
  status?: number | undefined;
  requestId?: string | undefined;
  retryAfterMs?: number | undefined;
  fixes: string[];
}

/** Runs checks one after the other and tells what came of each as soon as it is known. */
export class DoctorReport {
  readonly #json: boolean;
  readonly #stop: AbortSignal;
  readonly #checks: Check[] = [];
  #problem: Problem | undefined;

  constructor(json: boolean, stop: AbortSignal) {
    this.#json = json;
    this.#stop = stop;
  }

  /** Runs a check, unless an earlier one failed. Throws when it was told to stop, whatever the check made of that. */
  async check(name: string, run: () => Promise<Finding>): Promise<void> {
    if (this.#problem) {
      this.#tell({ name, status: "skipped", ms: 0, detail: "not tried", warnings: [] });
      return;
    }
    this.#stop.throwIfAborted();
    const spinner = spins() ? yoctoSpinner({ text: `${name} ...`, handleSignals: false }).start() : undefined;
    const started = performance.now();
    let found: Finding | undefined;
    try {
      found = await this.#untilStopped(run(), () => spinner?.stop());
      this.#problem = found.diagnosis && problemOf(found.diagnosis, found.speaker);
    } catch (error) {
      this.#problem = problemOfError(error);
    } finally {
      spinner?.stop();
    }
    if (this.#problem) await signalled();
    this.#stop.throwIfAborted();
    this.#tell({
      name,
      status: this.#problem ? "failed" : statusOf(found),
      ms: Math.round(performance.now() - started),
      detail: found?.detail ?? this.#problem?.code ?? "",
      warnings: found?.warnings ?? [],
      ...found?.data,
    });
  }

  /** Tells the diagnosis, and gives the exit code. */
  finish(): number {
    const problem = this.#problem;
    if (this.#json) {
      this.#write({ ok: !problem, checks: this.#checks, ...(problem ? { problem } : {}) });
    } else if (problem) {
      process.stdout.write(`\n${lines(problem).join("\n")}\n`);
    } else {
      const warned = this.#checks.some(({ warnings }) => warnings.length > 0);
      process.stdout.write(`\n${out.green("All is well")}${warned ? ", but see the warnings" : ""}.\n`);
    }
    return problem ? 1 : 0;
  }

  /** Ctrl-C came: tells so, and gives the exit code. */
  interrupted(): number {
    if (this.#json) this.#write({ ok: false, interrupted: true, checks: this.#checks });
    process.stderr.write("\nInterrupted.\n");
    return 130;
  }

  /** What runs may clear up when it is stopped, but not for long: a runtime that Ctrl-C has ended, too, never answers. */
  #untilStopped(run: Promise<Finding>, onStop: () => void): Promise<Finding> {
    return new Promise((resolve, reject) => {
      run.then(resolve, reject);
      const stopped = () => {
        onStop();
        systemClock.setTimeout(() => reject(this.#stop.reason), CLEAR_UP_MS);
      };
      this.#stop.addEventListener("abort", stopped, { once: true });
    });
  }

  #write(result: object): void {
    process.stdout.write(json(result, 2, redact));
  }

  #tell(check: Check): void {
    this.#checks.push(check);
    if (this.#json) return;
    const { name, status, detail, warnings } = check;
    const mark = {
      passed: out.green("✓"),
      warned: out.yellow("!"),
      failed: out.red("✗"),
      skipped: out.dim("-"),
    }[status];
    const time = status === "skipped" ? "" : ms(check.ms);
    const shown = status === "skipped" ? out.dim(oneLine(detail)) : oneLine(detail);
    process.stdout.write(`${mark} ${name.padEnd(12)}${out.dim(time.padStart(6))}  ${shown}\n`);
    for (const { code, message } of warnings) {
      process.stdout.write(`  ${out.yellow("!")} ${oneLine(message)} ${out.dim(`(${code})`)}\n`);
    }
  }
}

/** What came of a check that has not failed. */
function statusOf(found: Finding | undefined): Check["status"] {
  if (found?.skipped) return "skipped";
  return found?.warnings?.length ? "warned" : "passed";
}

/** Where a spinner can be wiped off again. */
function spins(): boolean {
  return process.stderr.isTTY === true && process.env.TERM !== "dumb" && process.env.CI === undefined;
}

/** Ctrl-C ends a child process, too: its end may be seen before the signal. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    systemClock.setTimeout(resolve, SIGNAL_MS);
  });
}

function problemOf(
  { code, cause, fixes, message, status, requestId, retryAfterMs }: Diagnosis,
  speaker: string | undefined,
): Problem {
  return { code, message: cause, said: message, speaker, status, requestId, retryAfterMs, fixes };
}

function problemOfError(error: unknown): Problem {
  const message = redact(error instanceof Error ? error.message : String(error));
  if (!(error instanceof KeylessError)) return { code: "unexpected", message, fixes: [] };
  const { code, hint, status } = error;
  return { code, message, status, fixes: hint ? [hint] : [] };
}

/** The diagnosis for people: what, in whose words, and what to do, commands ready to be copied. */
function lines({ code, message, said, speaker, status, requestId, retryAfterMs, fixes }: Problem): string[] {
  const told = [`${out.red("✗")} ${out.bold(code)}  ${oneLine(message)}`];
  if (said) {
    const whose = status ? `${speaker ?? "The answer"}, HTTP ${status}` : "The network's words";
    told.push(out.dim(`  ${whose}: ${oneLine(said)}`));
  }
  if (retryAfterMs !== undefined) told.push(out.dim(`  asks to wait ${Math.ceil(retryAfterMs / 1000)}s`));
  if (requestId) told.push(out.dim(`  request id: ${oneLine(requestId)}`));
  if (fixes.length > 0) told.push("");
  for (const [index, fix] of fixes.entries()) {
    const [first, ...commands] = clean(fix).split("\n");
    told.push(`  ${fixes.length > 1 ? `${index + 1}. ` : ""}${first}`);
    for (const command of commands) told.push(`${fixes.length > 1 ? "   " : ""}    ${out.cyan(command)}`);
  }
  return told;
}
