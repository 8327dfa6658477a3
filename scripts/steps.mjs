// Runs the steps of a script with progress: one line a step, its output only when it fails.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const tty = process.stderr.isTTY;
const color = tty && !process.env.NO_COLOR;
const dim = (text) => (color ? `\x1b[2m${text}\x1b[22m` : text);
const red = (text) => (color ? `\x1b[31m${text}\x1b[39m` : text);
const green = (text) => (color ? `\x1b[32m${text}\x1b[39m` : text);

/** A failure that is told in a few lines, without a stack. */
export class StepError extends Error {
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

/** Runs a script's main function; a StepError becomes a short message and exit code 1. */
export async function main(run) {
  try {
    process.exitCode = (await run()) ?? process.exitCode ?? 0;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    console.error(`\n${red("✗")} ${error.message}`);
    if (error.hint) console.error(`  ${error.hint}`);
    process.exitCode = 1;
  }
}

/** Shows a step while it runs. `note` tells how long it may take. */
export async function step(title, work, note = "") {
  const started = Date.now();
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(0)} s`;
  const label = note ? `${title} ${dim(`(${note})`)}` : title;
  let detail = "";
  const draw = () => {
    const room = Math.max(0, (process.stderr.columns ?? 80) - title.length - 16);
    process.stderr.write(`\r\x1b[2K… ${title} ${dim(`${seconds()} ${detail.slice(0, room)}`)}`);
  };
  if (!tty) console.error(`… ${label}`);
  const timer = setInterval(
    tty ? draw : () => console.error(`… ${title}: still at work after ${seconds()}`),
    tty ? 200 : 30_000,
  );
  try {
    const result = await work((line) => {
      detail = line;
    });
    clearInterval(timer);
    if (tty) process.stderr.write("\r\x1b[2K");
    console.error(`${green("✓")} ${title} ${dim(seconds())}`);
    return result;
  } catch (error) {
    clearInterval(timer);
    if (tty) process.stderr.write("\r\x1b[2K");
    console.error(`${red("✗")} ${title} ${dim(seconds())}`);
    throw error;
  }
}

/** Runs a command to its end. Rejects with the end of its output when it fails. */
export function run(command, args, { env = {}, onLine = () => {}, hint, show = false, cwd = root } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: show ? "inherit" : ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
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
      reject(new StepError(`${[command, ...args].join(" ")} ${reason}${tail ? `\n${tail}` : ""}`, hint));
    });
  });
}

/** Puts this package among its own dependencies: apps inside the repository find it there, in the place of a release from npm. */
export function linkPackage() {
  const link = join(root, "node_modules/copilot-keyless");
  rmSync(link, { force: true, recursive: true });
  symlinkSync(root, link, "junction");
}

/** What a command prints, or undefined when it is not there or fails. */
export function output(command, args) {
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** Every file below some paths, in a stable order, but those of packages that are installed there. */
export function files(...paths) {
  return paths.flatMap((path) => {
    const full = join(root, path);
    if (!existsSync(full)) return [];
    if (statSync(full).isFile()) return [path];
    return files(
      ...readdirSync(full)
        .filter((name) => name !== "node_modules")
        .sort()
        .map((name) => `${path}/${name}`),
    );
  });
}

/**
 * Does some work only if its inputs differ from those of the last time, or an output is missing. True if it did. Folders among the
 * inputs that do not count are named in `without`.
 */
export async function ifChanged(name, inputs, outputs, work, without = []) {
  const hash = createHash("sha256");
  const counts = (path) => !without.some((folder) => path.startsWith(`${folder}/`));
  for (const path of files(...inputs).filter(counts))
    hash
      .update(path)
      .update("\0")
      .update(readFileSync(join(root, path)))
      .update("\0");
  const digest = hash.digest("hex");
  const stamp = join(root, "target", "stamps", name);
  const fresh = existsSync(stamp) && readFileSync(stamp, "utf8") === digest;
  if (fresh && outputs.every((path) => existsSync(join(root, path)))) return false;
  await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
  return true;
}
