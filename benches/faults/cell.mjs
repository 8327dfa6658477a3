// One fault, one contender: an emulator of its own here, and the contender in a fresh process that is told what to do.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startEmulator } from "copilot-keyless/emulator";
import { childrenOf, descendantsOf } from "../../tests/support/processes.mjs";
import { TURN_MS } from "./contenders.mjs";
import { summaryOf } from "./judge.mjs";

const HOUR = 3_600_000;
/** How long after the turn's own time an answer is waited for. */
const GRACE_MS = 5_000;
const START_MS = 30_000;
const CLOSE_MS = 8_000;
const PROGRAM = fileURLToPath(new URL("program.mjs", import.meta.url));
/** What would lead the program to somebody's real identity, or change how Node runs it. */
const FOREIGN = /^(AZURE_|IDENTITY_|MSI_|FOUNDRY_|OPENAI_|COPILOT_|NODE_|VITEST)/;

/** Runs a fault's script with a contender. Gives the cell's summary; undefined when the signal has ended it. */
export async function runCell(fault, name, signal) {
  const cell = new Cell(name);
  const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  const run = async () => {
    await cell.start(fault);
    await fault.script(cell);
    return cell.finish();
  };
  try {
    return await Promise.race([run(), aborted.then(() => undefined)]);
  } finally {
    await cell.end({ kill: signal.aborted });
  }
}

/** What scripts of faults act on. */
export class Cell {
  emulator;
  #name;
  #folder = mkdtempSync(join(tmpdir(), "copilot-keyless-faults-"));
  /** How far the true time, the resource's and the identity endpoint's, is ahead of this machine's clock. */
  #ahead = 0;
  #child;
  #ended;
  #exit;
  #stderr = "";
  #pending = new Map();
  #sent = 0;
  #calls = [];
  #findings = [];
  #mayEnd = false;

  constructor(name) {
    this.#name = name;
  }

  get pid() {
    return this.#child.pid;
  }

  /** The true time, in epoch milliseconds. */
  get now() {
    return Date.now() + this.#ahead;
  }

  async start({ env = {}, command = [], tokenLifetimeSeconds = HOUR / 1000 }) {
    this.emulator = await startEmulator({
      tokenLifetimeSeconds,
      chunkDelayMs: 0,
      clock: { now: () => this.now },
      reply: ({ prompt }) => replyTo(prompt),
    });
    const own = Object.entries(process.env).filter(([key]) => !FOREIGN.test(key));
    const [file, ...args] = [...command, process.execPath, PROGRAM, this.#name];
    this.#child = spawn(file, args, {
      env: {
        ...Object.fromEntries(own),
        ...this.emulator.env,
        HOME: this.#folder,
        COPILOT_HOME: join(this.#folder, "copilot"),
        ...env,
      },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      // A group of its own, as a shell gives to what it starts: Ctrl-C goes to all of it.
      detached: true,
    });
    this.#child.stderr.on("data", (chunk) => {
      this.#stderr = (this.#stderr + chunk).slice(-2_000);
    });
    this.#child.on("message", ({ id, result }) => this.#pending.get(id)?.(result));
    this.#exit = new Promise((resolve) => {
      this.#child.on("error", (error) => resolve(String(error)));
      this.#child.on("exit", (code, signal) => {
        this.#ended = signal ?? `exit code ${code}`;
        resolve(this.#ended);
      });
    });
    await this.#answer(0, START_MS);
  }

  /** A call that has to be served, unless a pattern or two say what it may fail for. */
  async call(...cause) {
    const prompt = `call ${this.#calls.length + 1}`;
    const call = { prompt, mustServe: cause.length === 0, cause };
    this.#calls.push(call);
    Object.assign(call, await this.#outcome(prompt));
    return call;
  }

  /** A call whose end nobody waits for: it does not count. */
  begin() {
    this.#tell({ command: "ask", prompt: "the last call" });
  }

  /** Time passes, for everybody. */
  async advance(ms) {
    this.#ahead += ms;
    await this.#tell({ command: "clocks", wall: ms, monotonic: ms });
  }

  /** Somebody sets the program's wall clock. */
  async setClock(byMs) {
    await this.#tell({ command: "clocks", wall: byMs, monotonic: 0 });
  }

  /** The machine sleeps: nothing runs, time passes, and the monotonic clock does not see it. */
  async suspend(ms, forMs = 1_000) {
    this.signal("SIGSTOP");
    this.#ahead += ms;
    const told = this.#tell({ command: "clocks", wall: ms, monotonic: 0 });
    await sleep(forMs);
    this.signal("SIGCONT");
    await told;
  }

  fault(fault) {
    return this.emulator.faults.add({ times: Number.POSITIVE_INFINITY, ...fault });
  }

  disk(command) {
    return this.#tell({ command });
  }

  /** To the program and all that it has started, as a terminal does. */
  signal(name) {
    process.kill(-this.pid, name);
  }

  /** The Copilot runtimes of the program. */
  runtimes() {
    return childrenOf(this.pid);
  }

  /** How the program ended, if it does so in time. It is meant to. */
  async endsWithin(ms) {
    this.#mayEnd = true;
    return Promise.race([this.#exit, sleep(ms)]);
  }

  /** Something that must not be, in a sentence. */
  find(sentence) {
    this.#findings.push(sentence);
  }

  finish() {
    return summaryOf({
      calls: this.#calls,
      ended: this.#mayEnd ? undefined : this.#deathNote(),
      identityRequests: this.emulator.counts.identity,
      findings: this.#findings,
    });
  }

  /** Ends the program, if it has not ended by itself, and all that it has started. */
  async end({ kill: atOnce }) {
    if (this.#child && this.#ended === undefined) {
      if (!atOnce) await Promise.race([this.#tell({ command: "close" }), sleep(CLOSE_MS)]);
      const left = [this.pid, ...descendantsOf(this.pid)];
      for (const pid of left) kill(pid);
      await this.#exit;
    }
    await this.emulator?.stop();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async #outcome(prompt) {
    const outcome = await this.#tell({ command: "ask", prompt }, TURN_MS + GRACE_MS);
    if (outcome?.error) return outcome;
    if (outcome?.text === replyTo(prompt)) return { ms: outcome.ms };
    if (outcome) return { ms: outcome.ms, error: silence(`the call gave ${JSON.stringify(outcome.text)}`) };
    if (this.#ended) return { ms: 0, error: silence(`the process had ended (${this.#ended})`) };
    return { ms: TURN_MS + GRACE_MS, error: silence(`no answer within ${(TURN_MS + GRACE_MS) / 1000} s`) };
  }

  /** Has the program do something. Undefined when it has ended or does not answer. */
  #tell(message, withinMs = START_MS) {
    if (this.#ended !== undefined) return undefined;
    this.#sent += 1;
    const id = this.#sent;
    const answer = this.#answer(id, withinMs);
    this.#child.send({ id, ...message }, () => {});
    return answer;
  }

  async #answer(id, withinMs) {
    const late = new AbortController();
    try {
      return await Promise.race([
        new Promise((resolve) => this.#pending.set(id, resolve)),
        this.#exit.then(() => undefined),
        sleep(withinMs, undefined, { signal: late.signal }),
      ]);
    } finally {
      late.abort();
      this.#pending.delete(id);
    }
  }

  #deathNote() {
    if (this.#ended === undefined) return undefined;
    const said = this.#stderr.split("\n").find((line) => /error/i.test(line)) ?? "";
    return said === "" ? this.#ended : `${this.#ended}: ${said.trim().slice(0, 120)}`;
  }
}

/** What the emulated model answers. */
function replyTo(prompt) {
  return `You said: ${prompt}`;
}

function silence(message) {
  return { silent: true, message };
}

function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
