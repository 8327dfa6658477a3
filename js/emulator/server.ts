import type { Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import { KeylessError } from "../errors/keyless-error.js";
import type { Certificate } from "./certificate.js";
import type { AppEnv } from "./http.js";
import { acceptUpgrades } from "./upgrade.js";

/** A running server. */
export interface RunningServer {
  /** Without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** Stops the server and closes all connections, idle, busy or hanging. */
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
/** Longer than clients keep idle connections, so that no client uses one that is being closed. */
const KEEP_ALIVE_MS = 120_000;

/** How a server listens. */
interface ListenOptions {
  /** With one it serves https. */
  readonly certificate?: Certificate;
  /** Whether its handlers open WebSockets. */
  readonly webSockets?: boolean;
}

/**
 * Listens on loopback. Port 0 takes a free one. `option`: the name of the port option, for errors.
 */
export async function listen(
  app: Hono<AppEnv>,
  port: number,
  option: string,
  { certificate, webSockets }: ListenOptions = {},
): Promise<RunningServer> {
  const settings = {
    fetch: app.fetch,
    // Keep the adapter's Request and Response out of the program under test.
    overrideGlobalObjects: false,
  };
  const serverOptions = { keepAliveTimeout: KEEP_ALIVE_MS };
  const server = createAdaptorServer(
    certificate
      ? { ...settings, createServer: createSecureServer, serverOptions: { ...serverOptions, ...certificate } }
      : { ...settings, serverOptions },
  ) as Server;
  const closeWebSockets = webSockets ? acceptUpgrades(server, app) : () => {};
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(listenError(cause, port, option)));
    server.listen(port, HOST, resolve);
  });
  const actual = (server.address() as AddressInfo).port;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      closeWebSockets();
      server.closeAllConnections();
    });
  return { url: `${certificate ? "https" : "http"}://${HOST}:${actual}`, port: actual, close };
}

function listenError(cause: Error & { code?: string }, port: number, option: string): KeylessError {
  if (cause.code === "EADDRINUSE") {
    return new KeylessError(
      "emulator/port-in-use",
      `The emulator cannot listen on ${HOST}:${port}: the port is in use.`,
      {
        hint: `Stop the program that uses it, set another \`${option}\`, or omit it to get a free port.`,
        cause,
      },
    );
  }
  return new KeylessError(
    "emulator/listen-failed",
    `The emulator cannot listen on ${HOST}:${port}: ${cause.message}`,
    {
      hint: `Set another \`${option}\`, or omit it to get a free port.`,
      cause,
    },
  );
}
