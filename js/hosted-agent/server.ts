import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { toNodeListener } from "../chat/node-listener.js";
import type { CloseOptions } from "../chat/service.js";

/** A running server of a hosted agent. */
export interface AgentServer extends AsyncDisposable {
  /** Its address, such as `http://127.0.0.1:8088`. */
  readonly url: string;
  readonly port: number;
  /** Ends the server and its agent, as SIGTERM does. Call it again with less to hasten it. */
  close(options?: CloseOptions): Promise<void>;
}

interface ServerSettings {
  port: number;
  host: string;
  drainMs: number;
}

/** What the server needs of an agent. */
type Served = ((request: Request) => Promise<Response>) & {
  close(options?: CloseOptions): Promise<void>;
};

/** The most that a request's headers may have, in bytes, and how long they may take, in milliseconds. */
const HEADER_BYTES = 32 * 1024;
const HEADERS_MS = 10_000;

/** How many connections there may be for each turn that may run. */
const CONNECTIONS_PER_TURN = 4;

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Listens, until a signal or `close` ends it. */
export async function serve(agent: Served, settings: ServerSettings, turns: number): Promise<AgentServer> {
  const { port: wanted, host, drainMs: defaultDrainMs } = settings;
  const server = createServer(
    { maxHeaderSize: HEADER_BYTES, headersTimeout: HEADERS_MS, connectionsCheckingInterval: 1_000 },
    toNodeListener(agent),
  );
  server.maxConnections = CONNECTIONS_PER_TURN * turns;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(wanted, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const shutDown = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  const close = ({ drainMs = defaultDrainMs }: CloseOptions = {}): Promise<void> => {
    // The server listens while turns end, so that probes and requests are told.
    const drained = agent.close({ drainMs });
    closing ??= drained.then(shutDown);
    return closing;
  };
  // A second signal does not wait.
  const onSignal = () => void close(closing ? { drainMs: 0 } : {});
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return {
    url: `http://${name.includes(":") ? `[${name}]` : name}:${port}`,
    port,
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}
