// Serves edge gateways over real HTTP with Node's own Request and Response, for the tests of the
// other gateway.

import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import type { TokenCredential, TokenProvider } from "copilot-keyless";
import { createEdgeGateway } from "copilot-keyless/edge";
import type { GatewayOptions } from "copilot-keyless/gateway";
import type { Running } from "./support.js";

/** Limits that the platform has in place of an edge gateway. */
const OF_THE_PLATFORM = ["closeMs", "maxRequests", "headersMs", "requestMs", "connectMs"];

/** A credential that gets what a token function returns, and a new token each time. */
export function credentialOf(tokens: TokenProvider): TokenCredential {
  let count = 0;
  return {
    getToken: async () => {
      const token = await tokens();
      count += 1;
      return {
        token: count === 1 ? token : `${token}-${count}`,
        expiresOnTimestamp: Date.now() + 3_600_000,
      };
    },
  };
}

/** Starts an edge gateway behind a server. */
export async function edgeGateway({
  limits,
  key,
  port: _1,
  host: _2,
  keyFile: _3,
  tokens,
  ...options
}: GatewayOptions): Promise<Running> {
  const given =
    typeof tokens === "function"
      ? { credential: credentialOf(tokens), scope: "https://ai.azure.com/.default" }
      : tokens && { tokens };
  const own = Object.entries(limits ?? {}).filter(([name]) => !OF_THE_PLATFORM.includes(name));
  let active = 0;
  const gateway = createEdgeGateway({
    ...options,
    ...given,
    key: key as string,
    limits: Object.fromEntries(own),
    onAccess: (entry) => {
      active -= 1;
      return options.onAccess?.(entry);
    },
  });
  const server = serve({
    fetch: (request) => {
      active += 1;
      return gateway(request);
    },
    hostname: "127.0.0.1",
    port: 0,
    overrideGlobalObjects: false,
  }) as Server;
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    gateway.close();
    const closed = new Promise((resolve) => server.close(resolve));
    const timer = setTimeout(() => server.closeAllConnections(), limits?.closeMs);
    await closed;
    clearTimeout(timer);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    key: key as string,
    get active() {
      return active;
    },
    close,
  };
}
