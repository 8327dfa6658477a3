// Runs the steps of a script and shows them: one line a step, its output only when it fails.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const shell = process.platform === "win32";
const tty = process.stderr.isTTY;
const color = (code, text) => (tty && !process.env.NO_COLOR ? `\x1b[${code}m${text}\x1b[0m` : text);
const [red, green, dim] = [31, 32, 2].map((code) => (text) => color(code, text));

/** A failure that is reported in a few lines, without a stack. */
export class StepError extends Error {
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

/** Runs a script's main function; a StepError becomes a short message and exit code 1. */
export async function main(work) {
  try {
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    console.error(`\n${red("✗")} ${error.message}`);
    if (error.hint) console.error(`  ${error.hint}`);
    process.exitCode = 1;
  }
}

/** The running steps, each with the last line of its output. */
const running = new Map();

function draw() {
  const now = [...running].map(([title, { started, line }]) => `${title} ${seconds(started)} ${dim(line)}`);
  if (tty) process.stderr.write(`\r\x1b[2K${now.length ? `… ${now.join(" · ").slice(0, (process.stderr.columns || 80) - 3)}` : ""}`);
}

const seconds = (started) => `${((Date.now() - started) / 1000).toFixed(0)} s`;

/** Shows a step while it runs; several may run at once. `note` tells how long it may take. */
export async function step(title, work, note = "") {
  const state = { started: Date.now(), line: "" };
  running.set(title, state);
  if (!tty) console.error(`… ${title}${note && ` (${note})`}`);
  const timer = setInterval(
    tty ? draw : () => console.error(`… ${title}: ${seconds(state.started)} ${state.line}`),
    tty ? 200 : 30_000,
  );
  let mark = red("✗");
  try {
    const result = await work((line) => {
      state.line = line;
    });
    mark = green("✓");
    return result;
  } finally {
    clearInterval(timer);
    running.delete(title);
    if (tty) process.stderr.write("\r\x1b[2K");
    console.error(`${mark} ${title} ${seconds(state.started)}`);
    draw();
  }
}

/** Waits for several steps to end, then rejects with the first failure. */
export async function together(...steps) {
  const failed = (await Promise.allSettled(steps)).find(({ status }) => status === "rejected");
  if (failed) throw failed.reason;
}

/** Runs a command to its end. Rejects with the end of its output when it fails. `show` passes the output on instead. */
export function run(command, args, { env, onLine = () => {}, hint, show = false, cwd = root } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = show ? "inherit" : ["ignore", "pipe", "pipe"];
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio, shell });
    let output = "";
    const take = (chunk) => {
      output = (output + chunk).slice(-20_000);
      onLine(output.trimEnd().split("\n").at(-1).trim());
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.on("error", () => reject(new StepError(`${command} cannot be started`, hint)));
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(output);
      const tail = output.trimEnd().split("\n").slice(-40).join("\n");
      const reason = signal ? `was ended by ${signal}` : `failed with exit code ${code}`;
      reject(new StepError(`${[command, ...args].join(" ")} ${reason}${tail && `\n${tail}`}`, hint));
    });
  });
}

/** Runs a program in the foreground and resolves with its exit code. Ctrl-C reaches it by itself; waiting lets it say goodbye. */
export function foreground(command, args, { env, cwd = root } = {}) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: "inherit" });
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(signal ? 1 : code));
  });
}

/** Returns what a command prints, or undefined when it is missing or fails. */
export function output(command, args) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8", shell, maxBuffer: 2 ** 26 });
  return status === 0 ? stdout.trim() : undefined;
}

/** Lists every file below some paths in a stable order, except those of installed packages. */
export function files(...paths) {
  return paths.flatMap((path) => {
    const full = join(root, path);
    if (!existsSync(full)) return [];
    if (statSync(full).isFile()) return [path];
    const names = readdirSync(full).filter((name) => name !== "node_modules");
    return files(...names.sort().map((name) => `${path}/${name}`));
  });
}

/** The stamp of some work, and whether it was written for these inputs. Every input counts, and so do the compilers' versions. */
function stamp(name, inputs) {
  const hash = createHash("sha256").update(`${process.version} ${output("rustc", ["--version"])}`);
  for (const path of files(...inputs)) hash.update(`\0${path}\0`).update(readFileSync(join(root, path)));
  const digest = hash.digest("hex");
  const file = join(root, "target/stamps", name);
  return { file, digest, fresh: existsSync(file) && readFileSync(file, "utf8") === digest };
}

/** Whether some work was done for these inputs and its outputs are there. */
export function isFresh(name, inputs, outputs) {
  return outputs.every((path) => existsSync(join(root, path))) && stamp(name, inputs).fresh;
}

/** Does some work unless it was done for these inputs and its outputs are there. Returns whether it did. */
export async function ifChanged(name, inputs, outputs, work) {
  if (isFresh(name, inputs, outputs)) return false;
  await work();
  const { file, digest } = stamp(name, inputs);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, digest);
  return true;
}

/** Puts this package among its own dependencies: apps inside the repository find it there instead of a release from npm. */
export function linkPackage() {
  const link = join(root, "node_modules/copilot-keyless");
  rmSync(link, { force: true, recursive: true });
  symlinkSync(root, link, "junction");
}
