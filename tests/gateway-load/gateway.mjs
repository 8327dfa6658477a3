// The gateway under load, in a process of its own. Prints its address, then its log, a line each.

import { createGateway } from "copilot-keyless/gateway";

// By default, a token that is rejected within 30 seconds of the last one is the resource's fault. Here
// tokens are revoked more often than that.
const tokens = { policy: { invalidateIntervalMs: 1_000 } };
const print = (value) => console.log(JSON.stringify(value));
const gateway = await createGateway({ key: process.env.LOAD_KEY, tokens, onAccess: print });
print({ url: gateway.url });
// As the command does. A connection to the resource may outlive the gateway.
process.once("SIGTERM", () => gateway.close().then(() => process.exit()));
