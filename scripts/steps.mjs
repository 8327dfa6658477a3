// Runs the steps of a script and shows them: a line when one begins, ends or takes long, and the
// output of failed ones.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** An error that is printed in a few lines, without a stack. */
export class StepError extends Error {
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

/** Runs a script's main function. Prints an error with a hint as a short message, with exit code 1. */
export async function main(work) {
  try {
    checkNode();
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    const { code, message, hint } = error;
    if (!hint && !(error instanceof StepError)) throw error;
    console.error(`\n✗ ${code ? `${code}: ` : ""}${message}${hint ? `\n  ${hint}` : ""}`);
    process.exitCode = 1;
  }
}

/** Rejects a version of Node that the Copilot SDK does not run on. */
function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22) return;
  throw new StepError(`Node ${process.versions.node} is too old`, "Install Node 20.19, or 22.12 or later.");
}

/** Shows a step while it runs. `work` receives a function that shows its last line of output. */
export async function step(title, work) {
  const started = Date.now();
  let line = "";
  const show = (mark, line = "") =>
    console.error(mark, title, `${((Date.now() - started) / 1000).toFixed(0)} s`, line);
  console.error("…", title);
  const timer = setInterval(() => show("…", line), 10_000);
  const working = work((last) => (line = last));
  working.then(
    () => show("✓"),
    () => show("✗"),
  );
  return working.finally(() => clearInterval(timer));
}

/** Runs a command line as a step. Its words must not contain spaces. */
export const runStep = (title, line, options) =>
  step(title, (onLine) => {
    const [program, ...args] = line.split(" ");
    return run(program, args, { onLine, ...options });
  });

/** Waits until all steps have ended, then rejects with the first failure. */
export async function together(...steps) {
  const failed = (await Promise.allSettled(steps)).find(({ status }) => status === "rejected");
  if (failed) throw failed.reason;
}

/**
 * Returns the arguments for spawn. On Windows a shell starts the commands of npm packages, and
 * splits arguments at spaces unless they are quoted; a path to a program needs no shell.
 */
export function spawned(command, args, platform = process.platform) {
  if (platform !== "win32" || /[\\/]/.test(command)) return { command, args, shell: false };
  const quoted = args.map((arg) => (/^[\w@.:=/\\-]+$/.test(arg) ? arg : `"${arg.replaceAll('"', '\\"')}"`));
  return { command, args: quoted, shell: true };
}

function start(launch, name, given, { env, ...options }) {
  const { command, args, shell } = spawned(name, given);
  return launch(command, args, { cwd: root, env: { ...process.env, ...env }, shell, ...options });
}

/** Runs a command to its end. Rejects with the end of its output when it fails. */
export function run(command, args, { onLine, hint, ...options } = {}) {
  const child = start(spawn, command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output = (output + chunk).slice(-20_000);
      onLine?.(output.trimEnd().split("\n").at(-1).trim());
    });
  return new Promise((done, reject) => {
    child.on("error", () => reject(new StepError(`${command} cannot be started`, hint)));
    child.on("close", (code, signal) => {
      if (code === 0) return done(output);
      const tail = output.trimEnd().split("\n").slice(-40).join("\n");
      const reason = signal ? `was ended by ${signal}` : `failed with exit code ${code}`;
      reject(new StepError(`${[command, ...args].join(" ")} ${reason}\n${tail}`.trimEnd(), hint));
    });
  });
}

/**
 * Runs a program in the foreground and resolves with its exit code. Ctrl-C reaches the program
 * directly; this process waits so that it can end cleanly.
 */
export function foreground(command, args, options = {}) {
  const child = start(spawn, command, args, { stdio: "inherit", ...options });
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((done) => child.on("close", (code, signal) => done(signal ? 1 : code)));
}

/** Returns the output of a command, or undefined when it is missing or fails. */
export function output(command, args) {
  const { status, stdout } = start(spawnSync, command, args, { encoding: "utf8", maxBuffer: 2 ** 26 });
  return status === 0 ? stdout.trim() : undefined;
}

/** Lists every file below some paths in a stable order. */
export function files(...paths) {
  return paths.flatMap((path) => {
    if (!fs.statSync(join(root, path)).isDirectory()) return path;
    const names = fs.readdirSync(join(root, path)).sort();
    return files(...names.map((name) => `${path}/${name}`));
  });
}

let compilers;

/** Hashes the inputs of a build: the files, and the versions of Node and Rust. */
function digest(inputs) {
  compilers ??= `${process.version} ${output("rustc", ["--version"])}`;
  const hash = createHash("sha256").update(compilers);
  for (const path of files(...inputs)) hash.update(`\0${path}\0`).update(fs.readFileSync(join(root, path)));
  return hash.digest("hex");
}

/** Whether the last run had the same inputs and its outputs exist. */
export function isFresh(name, inputs, outputs, now = digest(inputs)) {
  const stamp = `target/stamps/${name}`;
  if (![stamp, ...outputs].every((path) => fs.existsSync(resolve(root, path)))) return false;
  return fs.readFileSync(join(root, stamp), "utf8") === now;
}

/** Does the work unless its outputs are fresh. */
export async function ifChanged(name, inputs, outputs, work) {
  // Hash before the work, so that a file changed meanwhile triggers another build.
  const before = digest(inputs);
  if (isFresh(name, inputs, outputs, before)) return;
  await work();
  fs.mkdirSync(join(root, "target/stamps"), { recursive: true });
  fs.writeFileSync(join(root, "target/stamps", name), before);
}
