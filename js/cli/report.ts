import { KeylessError, type Notice } from "copilot-keyless";
import { redact } from "../errors/redact.js";
import { clean, json as formatJson, oneLine } from "./clean.js";
import { err } from "./colors.js";
import { installCommand, missingPackages } from "./missing-packages.js";

/**
 * Prints an error in a few lines: its message, then its hint. With `debug` also its causes, without
 * secrets.
 */
export function report(error: unknown, { debug, json }: { debug: boolean; json: boolean }): void {
  const known = error instanceof KeylessError ? error : undefined;
  const code =
    known?.code ?? (error instanceof Error && error.name === "AbortError" ? "aborted" : "unexpected");
  const message = redact(error instanceof Error ? error.message : String(error));
  const missing = code.endsWith("/not-installed") ? missingPackages() : [];
  // Name all at once: the error is about the first that was needed.
  const hint =
    missing.length > 0 ? `Run \`${installCommand(missing)}\`, then this command again.` : known?.hint;
  if (json) {
    const { status } = known ?? {};
    const details = debug ? { causes: [...causes(error)] } : {};
    process.stdout.write(formatJson({ error: { code, message, hint, status, ...details } }));
    return;
  }
  const lines = [`${err.red("✗")} ${oneLine(message)} ${err.dim(`(${code})`)}`];
  if (hint) lines.push(`  ${clean(hint)}`);
  if (debug) for (const cause of causes(error)) lines.push(err.dim(`  caused by ${oneLine(cause)}`));
  else if (error instanceof Error && error.cause !== undefined)
    lines.push(err.dim("  Run with --debug to see the causes."));
  process.stderr.write(`${lines.join("\n")}\n`);
}

/** Prints warnings, one per line. */
export function warn(notices: readonly Notice[]): void {
  for (const { code, message } of notices) {
    process.stderr.write(`${err.yellow("!")} ${oneLine(message)} ${err.dim(`(${code})`)}\n`);
  }
}

function* causes(error: unknown, depth = 0): Generator<string> {
  const { cause, errors } = (error ?? {}) as { cause?: unknown; errors?: unknown };
  for (const inner of [cause, ...(Array.isArray(errors) ? errors : [])]) {
    if (inner === undefined || depth > 8) continue;
    yield redact(inner instanceof Error ? `${inner.name}: ${inner.message}` : String(inner));
    yield* causes(inner, depth + 1);
  }
}
