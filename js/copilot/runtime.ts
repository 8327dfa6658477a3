import type { CopilotClient, CopilotClientOptions } from "@github/copilot-sdk";
import { closed } from "./closed.js";
import { livenessOf } from "./liveness.js";
import { homeOf, homeOfClient, OwnClient } from "./sdk.js";

/** How long a runtime that ends may take to write its state to disk, in milliseconds. */
const SHUTDOWN_MS = 300;

/** The right of one session to use a client of the Copilot SDK. */
export interface Lease {
  readonly client: CopilotClient;
  isAlive(): Promise<boolean>;
  /** Notes that the runtime has sent something, so that it counts as alive although it is slow. */
  noteSign(): void;
  /** Whether the runtime has served its turns, so that sessions should move to another one. */
  readonly isWorn: boolean;
  /** Counts a turn. */
  countTurn(): void;
  /** Stops the runtime from taking more sessions. */
  retire(): void;
  /**
   * Returns the runtime when the session has ended; later calls do nothing. The last release ends a
   * retired runtime.
   */
  release(): void;
  /** Ends a runtime that is dead, although other sessions may use it. */
  discard(): Promise<void>;
}

/**
 * The ids of the sessions in use on clients that users passed in, which several agents may share.
 */
const inUseOn = new WeakMap<CopilotClient, Set<string>>();

/** A runtime that this package has started. */
interface StartedRuntime {
  client: CopilotClient;
  stop: () => Promise<void>;
  kill: () => Promise<void>;
  /** Sessions that are open now, and sessions ever opened. */
  open: number;
  total: number;
  /** Turns of all sessions. */
  turns: number;
  retired: boolean;
}

/** How many sessions and turns a runtime serves before it is replaced. */
export interface RuntimeLimits {
  sessions: number;
  turns: number;
}

/**
 * The Copilot runtime of an agent: the client that the user passed, or one that starts with the
 * first session. A runtime keeps some memory of every session and turn, so the agent's own is
 * replaced after a number of them: the next session starts on a new one, other sessions move to it,
 * and the old one ends with its last session.
 */
export class Runtime {
  /** The client that the user passed and stops. */
  readonly userClient: CopilotClient | undefined;
  /** The ids of the sessions that conversations use. */
  readonly sessionsInUse: Set<string>;
  readonly options: CopilotClientOptions;
  readonly #limits: RuntimeLimits;
  #starting: OwnClient | undefined;
  #current: Promise<StartedRuntime> | undefined;
  /** The runtimes that are to be ended, and those that are ending. */
  readonly #running = new Set<StartedRuntime>();
  readonly #ending = new Set<Promise<void>>();
  #closed = false;

  constructor(client: CopilotClient | CopilotClientOptions | undefined, limits: RuntimeLimits) {
    if (isClient(client)) this.userClient = client;
    this.options = isClient(client) ? {} : (client ?? {});
    this.#limits = limits;
    this.sessionsInUse = (this.userClient && inUseOn.get(this.userClient)) ?? new Set();
    if (this.userClient) inUseOn.set(this.userClient, this.sessionsInUse);
  }

  /**
   * The runtime's home folder, which holds its sessions. Unknown for a runtime that was started
   * elsewhere.
   */
  get home(): string | undefined {
    if (this.userClient) return homeOfClient(this.userClient);
    return this.options.connection?.kind === "uri" ? undefined : homeOf(this.options);
  }

  /** Leases a client to one more session, and starts one if needed. */
  async lease(): Promise<Lease> {
    if (this.#closed) throw closed();
    const { userClient } = this;
    if (userClient) {
      return {
        client: userClient,
        ...lifeOf(userClient),
        isWorn: false,
        countTurn: () => {},
        retire: () => {},
        release: () => {},
        discard: async () => {},
      };
    }
    let started = await this.#started();
    // Other sessions that waited too may have reached its limit.
    while (started.retired) started = await this.#started();
    started.open += 1;
    started.total += 1;
    if (started.total >= this.#limits.sessions) this.#retire(started);
    const { turns } = this.#limits;
    let leased = true;
    return {
      client: started.client,
      ...lifeOf(started.client),
      get isWorn() {
        return started.turns >= turns;
      },
      countTurn: () => {
        started.turns += 1;
        if (started.turns >= turns) this.#retire(started);
      },
      retire: () => this.#retire(started),
      release: () => {
        if (!leased) return;
        leased = false;
        started.open -= 1;
        if (started.retired && started.open === 0) void this.#end(started, started.stop);
      },
      discard: () => {
        leased = false;
        this.#retire(started);
        return this.#end(started, started.kill);
      },
    };
  }

  /** Ends every runtime that this package started, also one that is starting. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#starting?.kill();
    for (const started of this.#running) void this.#end(started, started.stop);
    await Promise.all(this.#ending);
  }

  #started(): Promise<StartedRuntime> {
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

  /** Stops a runtime from taking more sessions. */
  #retire(started: StartedRuntime): void {
    if (started.retired) return;
    started.retired = true;
    this.#current = undefined;
  }

  /** Ends a runtime, once. */
  async #end(started: StartedRuntime, how: () => Promise<void>): Promise<void> {
    if (!this.#running.delete(started)) return;
    const ending = how().catch(() => {});
    this.#ending.add(ending);
    await ending;
    this.#ending.delete(ending);
  }
}

function lifeOf(client: CopilotClient): Pick<Lease, "isAlive" | "noteSign"> {
  const liveness = livenessOf(client);
  return { isAlive: () => liveness.check(), noteSign: () => liveness.noteSign() };
}

function isClient(client: CopilotClient | CopilotClientOptions | undefined): client is CopilotClient {
  return typeof (client as CopilotClient | undefined)?.createSession === "function";
}
