// Installs clients from their registries, each version once: in a folder of the user's cache, which
// all clones share.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { HOME } from "./client.js";

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "copilot-keyless/clients");

/** The longest time for one installation, in milliseconds. */
const DEADLINE = 600_000;

/** Fills a folder of the cache, unless a former run has. Returns the folder. */
function once(name: string, fill: (folder: string) => void): string {
  const folder = join(CACHE, name);
  const stamp = join(folder, ".installed");
  if (existsSync(stamp)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  console.log(`Installing ${name}, once`);
  fill(folder);
  writeFileSync(stamp, "");
  return folder;
}

/** Runs a command. The message of an error goes into the table: it names no path. */
function execute(command: string, args: readonly string[], cwd: string): void {
  const { error, status } = spawnSync(command, args, {
    cwd,
    timeout: DEADLINE,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if ((error as NodeJS.ErrnoException)?.code === "ENOENT") throw new Error(`${command} is missing`);
  if (error || status !== 0) throw new Error(`\`${command} ${args[0]}\` failed`);
}

/** A package of npm with a command. */
export interface NpmCommand {
  /** Its folder of commands, for the PATH. */
  bin: string;
  install(): void;
}

/** Names a package of npm at one version. Of what it needs npm takes the newest that fit. */
export function npmCommand(name: string, version: string): NpmCommand {
  const folder = `${name.replace("@", "").replace("/", "-")}-${version}`;
  const args = ["install", "--no-audit", "--no-fund", "--loglevel=error", `${name}@${version}`];
  return {
    bin: join(CACHE, folder, "node_modules/.bin"),
    install: () => {
      once(folder, (path) => {
        writeFileSync(join(path, "package.json"), "{}");
        execute("npm", args, path);
      });
    },
  };
}

/** A virtual environment of Python. */
export interface PythonEnvironment {
  bin: string;
  install(): void;
}

/** Names a virtual environment with packages, such as `anthropic==2.14.0`. */
export function pythonEnvironment(...packages: readonly string[]): PythonEnvironment {
  const folder = packages.join("-").replaceAll("==", "-");
  const bin = join(CACHE, folder, "bin");
  return {
    bin,
    install: () => {
      once(folder, (path) => {
        execute("python3", ["-m", "venv", path], path);
        execute(join(bin, "python"), ["-m", "pip", "install", "--quiet", ...packages], path);
      });
    },
  };
}

/** A program that is compiled. */
export interface Compiled {
  /** The folder of what was built. */
  folder: string;
  install(): void;
}

/** Names the build of a folder of the clients, which is built anew after a change in it. */
function built(name: string, build: (source: string, out: string) => void): Compiled {
  const source = join(HOME, "on-demand", name);
  const hash = createHash("sha256");
  for (const file of readdirSync(source).sort()) hash.update(readFileSync(join(source, file)));
  const folder = `${name}-${hash.digest("hex").slice(0, 12)}`;
  return {
    folder: join(CACHE, folder),
    install: () => {
      once(folder, (out) => build(source, out));
    },
  };
}

/** The program `client` of Go. */
export const go = built("go", (source, out) => {
  execute("go", ["build", "-o", join(out, "client"), "."], source);
});

/** The classes of Java, and `lib/` with the libraries that they need. */
export const java = built("java", (source, out) => {
  const args = ["compile", "dependency:copy-dependencies", `-DoutputDirectory=${join(out, "lib")}`];
  execute("mvn", ["--quiet", "--batch-mode", `-Dout=${out}`, ...args], source);
});
