import type { CopilotClient, CopilotClientOptions } from "@github/copilot-sdk";
import { withDeadline } from "../platform/with-deadline.js";
import { closed } from "./closed.js";
import { homeOf, homeOfClient, OwnClient } from "./sdk.js";

/** How long the runtime may take to answer a ping. */
const PATIENCE_MS = 5_000;

/** How long a runtime that ends may take to write down what it has still to write. */
const SHUTDOWN_MS = 300;

/** A client of the Copilot SDK for one session. */
export interface Lease {
  readonly client: CopilotClient;
  isAlive(): Promise<boolean>;
  /** Whether its sessions had better go on with another. */
  readonly worn: boolean;
  /** Counts a turn. */
  turned(): void;
  /** No more sessions for this runtime. */
  retire(): void;
  /** Gives the runtime back when the session has ended, once however often it is called. The last one ends a retired runtime. */
  release(): void;
  /** Ends the runtime, which is dead, whoever else has sessions on it. */
  discard(): Promise<void>;
}

/** The sessions that are open on users' own clients, which several agents may share. */
const openOn = new WeakMap<CopilotClient, Set<string>>();

/** A client of our own. */
interface Started {
  client: CopilotClient;
  stop: () => Promise<void>;
  kill: () => Promise<void>;
  /** Sessions that are open, and that ever were. */
  open: number;
  total: number;
  /** Turns of all its sessions. */
  turns: number;
  retired: boolean;
}

/** How much a runtime of our own serves before another takes its place. */
export interface Wear {
  sessions: number;
  turns: number;
}

/**
 * The Copilot runtime behind an agent: the user's client, or one of our own that starts with the first session. Since the
 * runtime keeps some memory of every session and every turn it has had, one of our own is replaced after so many: the next session
 * gets a new one, sessions of many turns move to it, and the old one ends with its last session.
 */
export class Runtime {
  /** Whether the client is the user's, and so theirs to start and to stop. */
  readonly foreign: CopilotClient | undefined;
  /** The ids of the sessions that conversations hold open. */
  readonly open: Set<string>;
  readonly options: CopilotClientOptions;
  readonly #most: Wear;
  #starting: OwnClient | undefined;
  #current: Promise<Started> | undefined;
  /** Those that are to be ended, and those that are ending. */
  readonly #running = new Set<Started>();
  readonly #ending = new Set<Promise<void>>();
  #closed = false;

  constructor(client: CopilotClient | CopilotClientOptions | undefined, most: Wear) {
    if (isClient(client)) this.foreign = client;
    this.options = isClient(client) ? {} : (client ?? {});
    this.#most = most;
    this.open = (this.foreign && openOn.get(this.foreign)) ?? new Set();
    if (this.foreign) openOn.set(this.foreign, this.open);
  }

  /** The runtime's home folder, where its sessions are kept; unknown where it was started by somebody else. */
  get home(): string | undefined {
    if (this.foreign) return homeOfClient(this.foreign);
    return this.options.connection?.kind === "uri" ? undefined : homeOf(this.options);
  }

  /** A client for one more session. */
  async lease(): Promise<Lease> {
    if (this.#closed) throw closed();
    const { foreign } = this;
    if (foreign) {
      return {
        client: foreign,
        isAlive: () => isAlive(foreign),
        worn: false,
        turned: () => {},
        retire: () => {},
        release: () => {},
        discard: async () => {},
      };
    }
    let started = await this.#started();
    // Others that waited with this one may have been its last.
    while (started.retired) started = await this.#started();
    started.open += 1;
    started.total += 1;
    if (started.total >= this.#most.sessions) this.#retire(started);
    const { turns } = this.#most;
    let held = true;
    return {
      client: started.client,
      isAlive: () => isAlive(started.client),
      get worn() {
        return started.turns >= turns;
      },
      turned: () => {
        started.turns += 1;
        if (started.turns >= turns) this.#retire(started);
      },
      retire: () => this.#retire(started),
      release: () => {
        if (!held) return;
        held = false;
        started.open -= 1;
        if (started.retired && started.open === 0) void this.#end(started, started.stop);
      },
      discard: () => {
        held = false;
        this.#retire(started);
        return this.#end(started, started.kill);
      },
    };
  }

  /** Ends every runtime of our own, one that is starting too. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#starting?.kill();
    for (const started of this.#running) void this.#end(started, started.stop);
    await Promise.all(this.#ending);
  }

  #started(): Promise<Started> {
    if (this.#closed) throw closed();
    if (this.#current) return this.#current;
    const client = new OwnClient(this.options);
    this.#starting = client;
    const starting = client.start().then((ready) => {
      const started = {
        client: ready,
        stop: () => client.stop(SHUTDOWN_MS),
        kill: () => client.kill(),
        open: 0,
        total: 0,
        turns: 0,
        retired: false,
      };
      this.#running.add(started);
      if (this.#closed) void this.#end(started, started.kill);
      return started;
    });
    this.#current = starting;
    const settled = () => {
      if (this.#starting === client) this.#starting = undefined;
    };
    starting.then(settled, () => {
      settled();
      if (this.#current === starting) this.#current = undefined;
    });
    return starting;
  }

  /** No more sessions for this one. */
  #retire(started: Started): void {
    if (started.retired) return;
    started.retired = true;
    this.#current = undefined;
  }

  /** Ends one, once. */
  async #end(started: Started, how: () => Promise<void>): Promise<void> {
    if (!this.#running.delete(started)) return;
    const ending = how().catch(() => {});
    this.#ending.add(ending);
    await ending;
    this.#ending.delete(ending);
  }
}

/** A refusal tells that the connection has gone. Silence may be a busy machine's, so it is asked once more. */
async function isAlive(client: CopilotClient): Promise<boolean> {
  for (let asked = 0; asked < 2; asked += 1) {
    const answered = client.ping().then(
      () => true,
      () => false,
    );
    const alive = await withDeadline<boolean | undefined>(answered, PATIENCE_MS, () => undefined);
    if (alive !== undefined) return alive;
  }
  return false;
}

function isClient(client: CopilotClient | CopilotClientOptions | undefined): client is CopilotClient {
  return typeof (client as CopilotClient | undefined)?.createSession === "function";
}
