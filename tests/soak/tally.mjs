// Counts the events of a soak. It keeps figures and the first examples, not everything, because
// memory is measured.

import { INVALIDATE_INTERVAL_MS } from "./bounds.mjs";

const EXAMPLES = 5;
/** How long the resource may take to look at a request. */
const SETTLED_MS = 2_000;

export class Tally {
  turns = 0;
  replies = 0;
  /** Turns that their user aborted. */
  aborted = 0;
  /** Errors of turns, by code. */
  codes = new Map();
  sorts = new Map();
  /** What must not happen, by kind: how often, and the first examples. */
  wrong = new Map();
  longestMs = 0;
  longest = "";
  strays = [];
  invalidations = 0;
  refreshes = 0;
  episodes = [];
  /** The resource's verdicts on the tokens it received. */
  verdicts = new Map();
  /** Turns that met a 401 because of a revocation, and how many of them were answered. */
  revoked = { met: 0, recovered: 0 };
  rolesAway = false;
  /** Active faults of the identity endpoint. */
  #identityFaults = 0;
  #lastInvalidation = Number.NEGATIVE_INFINITY;
  /** Whether the schedule promises to recover from the last revocation within the turn. */
  #recoverable = false;
  #lastRevocation = 0;
  quietRound = false;
  identity = 0;
  foundry = 0;
  ranMs = 0;
  filesBytes = 0;
  #refusals = new Map();
  #read = 0;
  #limitMs;
  /** When a session's last request failed with anything but 401. */
  #troubles = new Map();

  /** No turn may take longer than `limitMs`. */
  constructor(limitMs) {
    this.#limitMs = limitMs;
  }

  /** Records that the resource answered a session with 401. */
  refused(name) {
    if (this.rolesAway) return;
    this.#refusals.set(name, [...(this.#refusals.get(name) ?? []), Date.now()]);
  }

  /**
   * Records another failure of a session: the runtime counts all attempts of a request together.
   */
  troubled(name) {
    this.#troubles.set(name, Date.now());
  }

  tokenEvent({ type }) {
    if (type === "refresh-succeeded") this.refreshes += 1;
    if (type !== "invalidated") return;
    this.invalidations += 1;
    this.#lastInvalidation = Date.now();
  }

  episodeBegins({ track, act }) {
    if (track === "identity") {
      this.#identityFaults += 1;
      this.#recoverable = false;
    }
    if (act === "revoke") {
      this.#lastRevocation = Date.now();
      const pause = Date.now() - this.#lastInvalidation;
      this.#recoverable = this.#identityFaults === 0 && pause > INVALIDATE_INTERVAL_MS;
    }
  }

  episodeEnds(episode) {
    if (episode.track === "identity") this.#identityFaults -= 1;
    this.episodes.push(episode);
  }

  stray(kind, error) {
    this.strays.push(`${kind}: ${error?.name ?? ""} ${error?.message ?? error}`);
  }

  /** Records a turn that has ended or was given up. */
  turn({ name, sort, id, began, expected, text, error, lost, mayAbort, ms }, KeylessError) {
    this.turns += 1;
    count(this.sorts, sort);
    if (ms > this.longestMs) {
      this.longestMs = ms;
      this.longest = `${id}, ${sort}`;
    }
    if (ms > this.#limitMs) this.note("a turn that took longer than its time", id, `${sort}: ${ms} ms`);
    const right = !lost && !error && text === expected;
    this.#revocation({ name, sort, id, began, error, right });
    if (right) {
      this.replies += 1;
      return;
    }
    if (this.quietRound) this.note("no reply in the quiet round", id, error?.code ?? error?.message ?? text);
    if (lost) this.note("a turn that did not end", id, sort);
    else if (error) this.#error(error, { id, sort, mayAbort, KeylessError });
    // A stream that its reader left has returned its beginning; an aborted turn of the SDK ends
    // without a reply.
    else if (mayAbort && (text === undefined || expected.startsWith(text))) this.aborted += 1;
    else if (text === undefined) this.note("a reply that is undefined", id, sort);
    else
      this.note(
        "a reply that is not its prompt's",
        id,
        `${sort}: ${text.slice(0, 200)} instead of ${expected.slice(0, 200)}`,
      );
  }

  /** Judges a turn that met a 401. */
  #revocation({ name, sort, id, began, error, right }) {
    const met = (this.#refusals.get(name) ?? []).filter((at) => at >= began);
    this.#refusals.delete(name);
    if (met.length === 0) return;
    this.revoked.met += 1;
    if (right) this.revoked.recovered += 1;
    // A turn that other failures have cost some of its attempts does not count.
    else if ((this.#troubles.get(name) ?? Number.NEGATIVE_INFINITY) >= began) return;
    else if (this.#recoverable && met[0] >= this.#lastRevocation && error?.code === "model/token-invalid") {
      const after = met.map((at) => at - this.#lastRevocation);
      this.note("a revocation that was not recovered from", id, `${sort}: 401 after ${after.join(", ")} ms`);
    }
  }

  #error(error, { id, sort, mayAbort, KeylessError }) {
    if (error.name === "AbortError" && mayAbort) {
      this.aborted += 1;
    } else if (error instanceof KeylessError) {
      count(this.codes, error.code);
    } else if (
      sort.startsWith("session") &&
      /^Timeout after \d+ms waiting for session.idle$/.test(error.message)
    ) {
      // The SDK's own sendAndWait rejects with an error without a code.
      count(this.codes, "timeout of the SDK");
    } else {
      this.note("an error without a code", id, `${sort}: ${error.name} ${error.message}`);
    }
  }

  note(kind, ...details) {
    const entry = this.wrong.get(kind) ?? { times: 0, examples: [] };
    entry.times += 1;
    if (entry.examples.length < EXAMPLES) entry.examples.push(details.join(", "));
    this.wrong.set(kind, entry);
  }

  /** Reads new entries of the emulator's log that have been judged. */
  read(requests, all = false) {
    for (const { id, server, method, at, authorization } of requests) {
      if (id <= this.#read) continue;
      if (server === "foundry" && !authorization && !all && at > Date.now() - SETTLED_MS) return;
      this.#read = id;
      // A HEAD request asks for the time, and needs no token.
      if (authorization && method !== "HEAD") count(this.verdicts, authorization.verdict);
    }
  }
}

function count(map, key) {
  map.set(key, (map.get(key) ?? 0) + 1);
}
