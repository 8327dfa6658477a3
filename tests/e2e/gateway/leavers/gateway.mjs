// A gateway that tells how it ends. Prints its address, and closes when its input ends. Then it must
// end by itself: nothing here calls process.exit.

import { subscribe } from "node:diagnostics_channel";
import { createGateway } from "copilot-keyless/gateway";

const [endpoint, key] = process.argv.slice(2);
const say = (value) => console.log(JSON.stringify(value));

// Counts what arrived without the help of the gateway.
let arrived = 0;
subscribe("http.server.request.start", () => {
  arrived += 1;
});
let logged = 0;
let tokens = 0;
const credential = {
  // A little later each time, so that clients leave while a token is acquired.
  getToken: () =>
    new Promise((resolve) => {
      tokens += 1;
      const token = `token-${tokens}`;
      setTimeout(() => resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }), tokens % 20);
    }),
};
const gateway = await createGateway({
  endpoint,
  key,
  credential,
  env: {},
  scope: "https://ai.azure.com/.default",
  tokens: { policy: { invalidateIntervalMs: 0 } },
  limits: { bufferBytes: 200_000, closeMs: 500, firstByteMs: 1_500, idleMs: 1_000 },
  onAccess: () => {
    logged += 1;
  },
});
say({ url: gateway.url });

process.stdin.resume().once("end", async () => {
  const inProgress = gateway.active;
  await gateway.close();
  // What is closed now tells so within the next turns of the event loop.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const open = process.getActiveResourcesInfo().filter((name) => /^TCP|Timeout/.test(name));
  say({ inProgress, arrived, logged, active: gateway.active, open });
});
