// The gateway under load, in a process of its own. Prints its address, then its log, a line each, and
// last how many requests have arrived. Ends by itself: nothing here calls process.exit.

import { subscribe } from "node:diagnostics_channel";
import { createGateway } from "copilot-keyless/gateway";

// By default, a token that is rejected within 30 seconds of the last one is not renewed. Here tokens
// are revoked more often than that.
const tokens = { policy: { invalidateIntervalMs: 1_000 } };
const print = (value) => console.log(JSON.stringify(value));
// Counted by Node, not by the gateway.
let arrived = 0;
subscribe("http.server.request.start", () => {
  arrived += 1;
});
const gateway = await createGateway({ key: process.env.LOAD_KEY, tokens, onAccess: print });
print({ url: gateway.url });
process.once("SIGTERM", () => gateway.close().then(() => print({ arrived })));
