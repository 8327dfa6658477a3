// An edge gateway behind the server of Deno or Bun. The argument holds its environment; it prints
// its port.

import { createEdgeGateway } from "copilot-keyless/edge";

const env = JSON.parse(process.argv[2]);
const gateway = createEdgeGateway({ env, key: env.GATEWAY_KEY });
const settings = { port: 0, hostname: "127.0.0.1" };
if (globalThis.Bun) console.log(globalThis.Bun.serve({ ...settings, fetch: gateway }).port);
else globalThis.Deno.serve({ ...settings, onListen: ({ port }) => console.log(port) }, gateway);
