// Starts the servers under attack, each in a process of its own.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { childrenOf, residentBytes, residentBytesBelow } from "../support/processes.mjs";
import { Log } from "./settings.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const SAMPLE_MS = 200;

/** Starts both. */
export function startServers(env) {
  return Promise.all([
    startServer("edge", [join(HERE, "edge.mjs")], env, { chat: "/chat", cut: "/cut", status: "/status" }),
    startServer("functions", [join(HERE, "../../scripts/functions-host.mjs"), "0"], env, {
      chat: "/api/chat",
      status: "/api/status",
    }),
  ]);
}

/** Starts a program that serves these paths on the address that it prints. */
export async function startServer(name, program, env, paths) {
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-hostile-"));
  if (name === "functions") {
    const main = relative(folder, join(HERE, "functions.mjs"));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", main }));
    writeFileSync(join(folder, "host.json"), JSON.stringify({ version: "2.0" }));
    program.splice(1, 0, folder);
  }
  const child = spawn(process.execPath, ["--unhandled-rejections=strict", ...program], {
    env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const server = new Server(name, child, folder, paths);
  await server.listening;
  return server;
}

class Server {
  #log = new Log();
  #lastWords = [];
  #ended;
  #samples = [];
  #timer;

  constructor(name, child, folder, paths) {
    this.name = name;
    this.child = child;
    this.folder = folder;
    this.paths = paths;
    this.alive = true;
    this.#ended = new Promise((ended) => {
      child.once("close", (code, signal) => {
        this.alive = false;
        ended(signal ?? code);
      });
    });
    this.listening = new Promise((listening, failed) => {
      const take = (line) => {
        const [, base] = /^listening (\S+)/.exec(line) ?? [];
        if (base) listening(this.#at(base));
        this.#read(line);
      };
      for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", take);
      this.#ended.then(() => failed(new Error(`${name} has ended: ${this.lastWords}`)));
    });
  }

  #at(base) {
    this.url = Object.fromEntries(Object.entries(this.paths).map(([what, path]) => [what, base + path]));
  }

  /** The Functions handler logs a line of JSON for each call. */
  #read(line) {
    const json = line.slice(line.indexOf("{"));
    try {
      this.#log.entry(JSON.parse(json));
    } catch {
      this.#lastWords.push(line);
      if (this.#lastWords.length > 20) this.#lastWords.shift();
    }
  }

  get lastWords() {
    return this.#lastWords.join(" | ").slice(-2_000);
  }

  /** Returns the running turns, and the ended calls by code or status. */
  async status() {
    const response = await fetch(this.url.status, { signal: AbortSignal.timeout(10_000) });
    return { log: this.#log.counts, ...(await response.json()) };
  }

  /** Samples the resident memory of the process and of those below it. */
  watchMemory() {
    this.#timer = setInterval(() => {
      const own = residentBytes(this.child.pid);
      if (own === 0) return;
      const below = residentBytesBelow(this.child.pid);
      this.#samples.push({ own, below, quiet: !this.stormy });
    }, SAMPLE_MS);
  }

  /**
   * In MB: the most in the quiet, the most in all, and the most of the runtimes. Undefined where
   * there is no /proc.
   */
  get memory() {
    if (this.#samples.length === 0) return undefined;
    const most = (samples, field) => Math.round(Math.max(0, ...samples.map((one) => one[field])) / 1e6);
    return {
      quietMB: most(
        this.#samples.filter(({ quiet }) => quiet),
        "own",
      ),
      mostMB: most(this.#samples, "own"),
      runtimesMB: most(this.#samples, "below"),
    };
  }

  /** Ends the server as a platform does. Returns the exit code. */
  async stop() {
    clearInterval(this.#timer);
    const below = childrenOf(this.child.pid);
    this.child.kill("SIGTERM");
    const code = await Promise.race([this.#ended, new Promise((late) => setTimeout(late, 15_000, "no end"))]);
    if (code === "no end") this.child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
    return { code, below: below.length };
  }
}
