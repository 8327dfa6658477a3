import { type Diagnosis, KeylessError, type Notice } from "copilot-keyless";
import ms from "ms";
import yoctoSpinner from "yocto-spinner";
import { redact } from "../redact.js";
import { out } from "./colors.js";

/** What a check found. With a diagnosis it failed. */
export interface Finding {
  detail: string;
  warnings?: readonly Notice[] | undefined;
  diagnosis?: Diagnosis;
  /** More for `--json`. */
  data?: object;
}

/** A check and what came of it; `--json` prints these. */
interface Check {
  name: string;
  status: "passed" | "failed" | "skipped";
  ms: number;
  detail: string;
  warnings: readonly Notice[];
  [data: string]: unknown;
}

/** What is wrong, and what mends it. */
interface Problem {
  code: string;
  message: string;
  /** Azure's own words, or the network's. */
  said?: string | undefined;
  status?: number | undefined;
  requestId?: string | undefined;
  fixes: string[];
}

/** Runs checks one after the other and tells what came of each as soon as it is known. */
export class DoctorReport {
  readonly #json: boolean;
  readonly #checks: Check[] = [];
  #problem: Problem | undefined;

  constructor(json: boolean) {
    this.#json = json;
  }

  /** Runs a check, unless an earlier one failed. Only an abort is thrown on. */
  async check(name: string, run: () => Promise<Finding>): Promise<void> {
    if (this.#problem) {
      this.#tell({ name, status: "skipped", ms: 0, detail: "not tried", warnings: [] });
      return;
    }
    const spinner = process.stderr.isTTY ? yoctoSpinner({ text: `${name} ...` }).start() : undefined;
    const started = performance.now();
    let found: Finding | undefined;
    try {
      found = await run();
      this.#problem = found.diagnosis && problemOf(found.diagnosis);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      this.#problem = problemOfError(error);
    } finally {
      spinner?.stop();
    }
    this.#tell({
      name,
      status: this.#problem ? "failed" : "passed",
      ms: Math.round(performance.now() - started),
      detail: found?.detail ?? this.#problem?.message ?? "",
      warnings: found?.warnings ?? [],
      ...found?.data,
    });
  }

  /** Tells the diagnosis, and gives the exit code. */
  finish(): number {
    const problem = this.#problem;
    if (this.#json) {
      const result = { ok: !problem, checks: this.#checks, ...(problem ? { problem } : {}) };
      const clean = (_name: string, value: unknown) => (typeof value === "string" ? redact(value) : value);
      process.stdout.write(`${JSON.stringify(result, clean, 2)}\n`);
    } else if (problem) {
      process.stdout.write(`\n${lines(problem).join("\n")}\n`);
    } else {
      const warned = this.#checks.some(({ warnings }) => warnings.length > 0);
      process.stdout.write(`\n${out.green("All is well")}${warned ? ", but see the warnings" : ""}.\n`);
    }
    return problem ? 1 : 0;
  }

  #tell(check: Check): void {
    this.#checks.push(check);
    if (this.#json) return;
    const { name, status, detail, warnings } = check;
    const mark = { passed: out.green("✓"), failed: out.red("✗"), skipped: out.dim("-") }[status];
    const time = status === "skipped" ? "" : ms(check.ms);
    const shown = status === "skipped" ? out.dim(detail) : redact(detail);
    process.stdout.write(`${mark} ${name.padEnd(12)}${out.dim(time.padStart(6))}  ${shown}\n`);
    for (const { code, message } of warnings) {
      process.stdout.write(`  ${out.yellow("!")} ${redact(message)} ${out.dim(`(${code})`)}\n`);
    }
  }
}

function problemOf({ code, cause, fixes, message, status, requestId }: Diagnosis): Problem {
  return { code, message: cause, said: message, status, requestId, fixes };
}

function problemOfError(error: unknown): Problem {
  const message = redact(error instanceof Error ? error.message : String(error));
  if (!(error instanceof KeylessError)) return { code: "unexpected", message, fixes: [] };
  const { code, hint, status } = error;
  return { code, message, status, fixes: hint ? [hint] : [] };
}

/** The diagnosis for people: what, in whose words, and what to do, commands ready to be copied. */
function lines({ code, message, said, status, requestId, fixes }: Problem): string[] {
  const told = [`${out.red("✗")} ${out.bold(code)}  ${message}`];
  if (said)
    told.push(out.dim(`  ${status ? `Azure's words, HTTP ${status}` : "The network's words"}: ${said}`));
  if (requestId) told.push(out.dim(`  request id: ${requestId}`));
  if (fixes.length > 0) told.push("");
  for (const [index, fix] of fixes.entries()) {
    const [first, ...commands] = fix.split("\n");
    told.push(`  ${fixes.length > 1 ? `${index + 1}. ` : ""}${first}`);
    for (const command of commands) told.push(`${fixes.length > 1 ? "   " : ""}    ${out.cyan(command)}`);
  }
  return told;
}
