import {
  type CredentialDiagnosis,
  type Diagnosis,
  diagnoseCredential,
  KeylessError,
  type Notice,
} from "copilot-keyless";
import ms from "ms";
import yoctoSpinner from "yocto-spinner";
import { redact } from "../errors/redact.js";
import { systemClock } from "../platform/clock.js";
import { clean, json, oneLine } from "./clean.js";
import { out } from "./colors.js";

/** The result of a check. With a diagnosis, the check failed. */
export interface Finding {
  detail: string;
  /** Whether there was nothing to check, or no way to check it. */
  skipped?: boolean;
  warnings?: readonly Notice[] | undefined;
  diagnosis?: Diagnosis;
  /** The source of the message that the diagnosis quotes. Default: the response. */
  speaker?: string;
  /** Further fields for `--json`. */
  data?: object;
}

/** A check and its result, as `--json` prints it. */
interface Check {
  name: string;
  status: "passed" | "warned" | "failed" | "skipped";
  ms: number;
  detail: string;
  warnings: readonly Notice[];
  [data: string]: unknown;
}

/** How long a signal may take to arrive, in milliseconds. */
const SIGNAL_MS = 50;

/** How long a stopped check may clean up, in milliseconds. */
const CLEAN_UP_MS = 1_000;

/** A problem and its fixes, as `--json` prints it. */
interface Problem {
  code: string;
  message: string;
  /** The message of Azure or of the network. */
  said?: string | undefined;
  speaker?: string | undefined;
  status?: number | undefined;
  requestId?: string | undefined;
  retryAfterMs?: number | undefined;
  fixes: string[];
  /** Why a credential gave no token. */
  credential?: Pick<CredentialDiagnosis, "code" | "cause" | "aadsts" | "links"> | undefined;
}

/** Runs checks one after the other and prints the result of each at once. */
export class DoctorReport {
  readonly #json: boolean;
  readonly #stop: AbortSignal;
  readonly #checks: Check[] = [];
  #problem: Problem | undefined;

  constructor(json: boolean, stop: AbortSignal) {
    this.#json = json;
    this.#stop = stop;
  }

  /** Runs a check, unless an earlier one failed. Throws if the doctor was stopped. */
  async check(name: string, run: () => Promise<Finding>): Promise<void> {
    if (this.#problem) {
      this.#print({ name, status: "skipped", ms: 0, detail: "not run", warnings: [] });
      return;
    }
    this.#stop.throwIfAborted();
    const spinner = canSpin()
      ? yoctoSpinner({ text: `${name} ...`, handleSignals: false }).start()
      : undefined;
    const started = performance.now();
    let finding: Finding | undefined;
    try {
      finding = await this.#untilStopped(run(), () => spinner?.stop());
      this.#problem = finding.diagnosis && problemOf(finding.diagnosis, finding.speaker);
    } catch (error) {
      this.#problem = problemOfError(error);
    } finally {
      spinner?.stop();
    }
    if (this.#problem) await signalTime();
    this.#stop.throwIfAborted();
    this.#print({
      name,
      status: this.#problem ? "failed" : statusOf(finding),
      ms: Math.round(performance.now() - started),
      detail: finding?.detail ?? this.#problem?.code ?? "",
      warnings: finding?.warnings ?? [],
      ...finding?.data,
    });
  }

  /** The results, as `--json` prints them. */
  get result(): { ok: boolean; checks: readonly Check[]; problem?: Problem } {
    const problem = this.#problem;
    return { ok: !problem, checks: this.#checks, ...(problem ? { problem } : {}) };
  }

  /** Prints the problem or the success. Returns the exit code. */
  finish(): number {
    const problem = this.#problem;
    if (this.#json) {
      this.#write(this.result);
    } else if (problem) {
      process.stdout.write(`\n${formatProblem(problem).join("\n")}\n`);
    } else {
      const warned = this.#checks.some(({ warnings }) => warnings.length > 0);
      process.stdout.write(`\n${out.green("All checks passed")}${warned ? ", with warnings" : ""}.\n`);
    }
    return problem ? 1 : 0;
  }

  /** Reports an interruption by Ctrl-C. Returns the exit code. */
  interrupted(): number {
    if (this.#json) this.#write({ ok: false, interrupted: true, checks: this.#checks });
    process.stderr.write("\nInterrupted.\n");
    return 130;
  }

  /**
   * Lets a check clean up when the doctor is stopped, but not for long: a runtime that Ctrl-C
   * ended, too, never answers.
   */
  #untilStopped(run: Promise<Finding>, onStop: () => void): Promise<Finding> {
    return new Promise((resolve, reject) => {
      run.then(resolve, reject);
      const onAbort = () => {
        onStop();
        systemClock.setTimeout(() => reject(this.#stop.reason), CLEAN_UP_MS);
      };
      this.#stop.addEventListener("abort", onAbort, { once: true });
    });
  }

  #write(result: object): void {
    process.stdout.write(json(result, 2, redact));
  }

  #print(check: Check): void {
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
    const text = status === "skipped" ? out.dim(oneLine(detail)) : oneLine(detail);
    process.stdout.write(`${mark} ${name.padEnd(12)}${out.dim(time.padStart(6))}  ${text}\n`);
    for (const { code, message } of warnings) {
      process.stdout.write(`  ${out.yellow("!")} ${oneLine(message)} ${out.dim(`(${code})`)}\n`);
    }
  }
}

/** Returns the status of a check that has not failed. */
function statusOf(finding: Finding | undefined): Check["status"] {
  if (finding?.skipped) return "skipped";
  return finding?.warnings?.length ? "warned" : "passed";
}

/** Whether the terminal can show and erase a spinner. */
function canSpin(): boolean {
  return process.stderr.isTTY === true && process.env.TERM !== "dumb" && process.env.CI === undefined;
}

/** Waits for a signal: Ctrl-C also ends child processes, whose end may be seen first. */
function signalTime(): Promise<void> {
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
  const credential = credentialProblem(error);
  if (credential) return { code, message, status, ...credential };
  return { code, message, status, fixes: hint ? [hint] : [] };
}

/** Codes whose own hint is exact: nothing was requested. */
const EXACT = ["credential/configuration", "credential/not-installed", "credential/invalid"];

/** Diagnoses the error of a credential. Undefined for another error, and if no cause is known. */
function credentialProblem(error: KeylessError): Pick<Problem, "fixes" | "credential"> | undefined {
  const isOne =
    error.code === "token/timeout" ? error.cause !== undefined : error.code.startsWith("credential/");
  if (!isOne || EXACT.includes(error.code)) return undefined;
  const { code, cause, fixes, aadsts, links } = diagnoseCredential({ error, env: process.env });
  return code === "unknown" ? undefined : { fixes, credential: { code, cause, aadsts, links } };
}

/**
 * Formats a problem: its message, the message of the response, and the fixes with commands to copy.
 */
function formatProblem({
  code,
  message,
  said,
  speaker,
  status,
  requestId,
  retryAfterMs,
  fixes,
  credential,
}: Problem): string[] {
  const lines = [`${out.red("✗")} ${out.bold(code)}  ${oneLine(message)}`];
  if (said) {
    const source = status ? `${speaker ?? "Response"}, HTTP ${status}` : "Network error";
    lines.push(out.dim(`  ${source}: ${oneLine(said)}`));
  }
  if (credential) {
    lines.push("", `  ${oneLine(credential.cause)} ${out.dim(`(${credential.code})`)}`);
    for (const link of credential.links) lines.push(out.dim(`    ${link.credential}: ${oneLine(link.text)}`));
  }
  if (retryAfterMs !== undefined) lines.push(out.dim(`  retry after ${Math.ceil(retryAfterMs / 1000)}s`));
  if (requestId) lines.push(out.dim(`  request id: ${oneLine(requestId)}`));
  if (fixes.length > 0) lines.push("");
  for (const [index, fix] of fixes.entries()) {
    const [first, ...commands] = clean(fix).split("\n");
    lines.push(`  ${fixes.length > 1 ? `${index + 1}. ` : ""}${first}`);
    for (const command of commands) lines.push(`${fixes.length > 1 ? "   " : ""}    ${out.cyan(command)}`);
  }
  return lines;
}
