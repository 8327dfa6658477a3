// Plays one fault against one contender: the emulator runs here, the contender in a fresh process.

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
/** How long to wait for an answer after the turn's own deadline. */
const GRACE_MS = 5_000;
const START_MS = 30_000;
const CLOSE_MS = 8_000;
const PROGRAM = fileURLToPath(new URL("program.mjs", import.meta.url));
/** Variables that would lead the program to a real identity, or change how Node runs it. */
const FOREIGN = /^(AZURE_|IDENTITY_|MSI_|FOUNDRY_|OPENAI_|COPILOT_|NODE_|VITEST)/;

/**
 * Runs a fault's script with a contender. Returns the cell's summary, or undefined after an abort.
 */
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

/** The interface for the scripts of faults. */
export class Cell {
  emulator;
  #name;
  #folder = mkdtempSync(join(tmpdir(), "copilot-keyless-faults-"));
  /**
   * How far the true time, used by the resource and the identity endpoint, is ahead of this
   * machine's clock.
   */
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

  async start({ env = {}, command = [], tokenLifetimeSeconds = HOUR / 1000, emulator = {} }) {
    this.emulator = await startEmulator({
      tokenLifetimeSeconds,
      chunkDelayMs: 0,
      clock: { now: () => this.now },
      reply: ({ prompt }) => replyTo(prompt),
      ...emulator,
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
      // A process group of its own, as a shell creates it: Ctrl-C reaches all its processes.
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

  /** Makes a call that must succeed, unless `cause` has patterns of an allowed error. */
  async call(...cause) {
    const prompt = `call ${this.#calls.length + 1}`;
    const call = { prompt, mustServe: cause.length === 0, cause };
    this.#calls.push(call);
    Object.assign(call, await this.#outcome(prompt));
    return call;
  }

  /** Starts a call without waiting for its end. It does not count. */
  begin() {
    this.#tell({ command: "ask", prompt: "the last call" });
  }

  /** Moves the time forward, for the program and for the servers. */
  async advance(ms) {
    this.#ahead += ms;
    await this.#tell({ command: "clocks", wall: ms, monotonic: ms });
  }

  /** Sets the program's wall clock. */
  async setClock(byMs) {
    await this.#tell({ command: "clocks", wall: byMs, monotonic: 0 });
  }

  /** Suspends the machine: nothing runs, time passes, and the monotonic clock stands still. */
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

  /** Sends a signal to the program and all its children, as a terminal does. */
  signal(name) {
    process.kill(-this.pid, name);
  }

  /** Lists the Copilot runtimes of the program. */
  runtimes() {
    return childrenOf(this.pid);
  }

  /** Waits for the program to end, as the fault intends, and says how it ended. */
  async endsWithin(ms) {
    this.#mayEnd = true;
    return Promise.race([this.#exit, sleep(ms)]);
  }

  /** Records a finding: something that must not happen, in a sentence. */
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

  /** Ends the program, if it still runs, and all its children. */
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

  /** Sends the program a request. Returns undefined if it has ended or does not answer. */
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

/** The replies of the emulated model. */
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
