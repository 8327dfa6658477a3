import type { CopilotClient, CopilotClientOptions } from "@github/copilot-sdk";
import { startClient } from "./sdk.js";
import { within } from "./within.js";

/** How long the runtime may take to answer a ping, and to end. */
export const PATIENCE_MS = 5_000;

/** A client of the Copilot SDK for one session. */
export interface Lease {
  readonly client: CopilotClient;
  isAlive(): Promise<boolean>;
  /** Whether the runtime has served so many turns that its sessions had better go on with another. */
  readonly worn: boolean;
  /** A turn has ended. */
  turned(): void;
  /** The session has ended. Gives it back once, however often it is called. */
  release(): Promise<void>;
  /** The runtime has gone, or does not answer: it is ended, and the next session gets another. */
  discard(): Promise<void>;
}

/** The sessions that are open on users' own clients, which several agents may share. */
const openOn = new WeakMap<CopilotClient, Set<string>>();

/** A client of our own. */
interface Started {
  client: CopilotClient;
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
  readonly #options: CopilotClientOptions | undefined;
  readonly #most: Wear;
  #current: Promise<Started> | undefined;
  readonly #running = new Set<Started>();

  constructor(client: CopilotClient | CopilotClientOptions | undefined, most: Wear) {
    if (isClient(client)) this.foreign = client;
    else this.#options = client;
    this.#most = most;
    this.open = (this.foreign && openOn.get(this.foreign)) ?? new Set();
    if (this.foreign) openOn.set(this.foreign, this.open);
  }

  /** The folder for the runtime's files, if one was chosen. */
  get baseDirectory(): string | undefined {
    return this.#options?.baseDirectory;
  }

  /** A client for one more session. */
  async lease(): Promise<Lease> {
    const { foreign } = this;
    if (foreign) {
      const nothing = async () => {};
      return {
        client: foreign,
        isAlive: () => isAlive(foreign),
        worn: false,
        turned: () => {},
        release: nothing,
        discard: nothing,
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
      release: async () => {
        if (!held) return;
        held = false;
        started.open -= 1;
        if (started.retired && started.open === 0) await this.#stop(started);
      },
      discard: async () => {
        this.#retire(started);
        this.#running.delete(started);
        await bounded(started.client.forceStop());
      },
    };
  }

  /** Ends every runtime of our own. */
  async close(): Promise<void> {
    await this.#current?.catch(() => {});
    await Promise.all([...this.#running].map((started) => this.#stop(started)));
  }

  #started(): Promise<Started> {
    if (this.#current) return this.#current;
    const starting = startClient(this.#options).then((client) => {
      const started = { client, open: 0, total: 0, turns: 0, retired: false };
      this.#running.add(started);
      return started;
    });
    this.#current = starting;
    starting.catch(() => {
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

  /** One that does not end when it is asked to is ended. */
  async #stop(started: Started): Promise<void> {
    if (!this.#running.delete(started)) return;
    const { client } = started;
    if (!(await bounded(client.stop()))) await bounded(client.forceStop());
  }
}

/** Whether a step came to its end, and in time. */
export function bounded(step: Promise<unknown> | undefined): Promise<boolean> {
  const done = step?.then(() => true) ?? Promise.resolve(true);
  return within(done, PATIENCE_MS, () => false).catch(() => false);
}

/** A refusal tells that the connection has gone. Silence may be a busy machine's, so it is asked once more. */
async function isAlive(client: CopilotClient): Promise<boolean> {
  for (let asked = 0; asked < 2; asked += 1) {
    const answered = client.ping().then(
      () => true,
      () => false,
    );
    const alive = await within<boolean | undefined>(answered, PATIENCE_MS, () => undefined);
    if (alive !== undefined) return alive;
  }
  return false;
}

function isClient(client: CopilotClient | CopilotClientOptions | undefined): client is CopilotClient {
  return typeof (client as CopilotClient | undefined)?.createSession === "function";
}
