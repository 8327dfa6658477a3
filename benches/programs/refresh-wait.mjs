// Measures the longest wait of callers, one every millisecond, while a token of 24 h past half its
// lifetime is refreshed by an endpoint that is slow or hangs.
import { HOUR, putClocksForward, sleep } from "../../tests/conformance/programs/clocks.mjs";
import { credentialOf, report, systemOver, tell } from "./systems.mjs";

const [name, fault, patience = "8000"] = process.argv.slice(2);
const SLOW_MS = 500;
const PATIENCE_MS = Number(patience);
/** Twice as long as the slow endpoint takes. */
const WATCH_MS = 2 * SLOW_MS;
const WARM_CALLS = 50;

const provide = await systemOver(name, await credentialOf("ManagedIdentityCredential"));
for (let call = 0; call < WARM_CALLS; call += 1) await provide();
const ahead = 13 * HOUR;
await tell({
  ahead,
  fault: {
    server: "identity",
    ...(fault === "hang" ? { kind: "hang" } : { kind: "delay", delayMs: SLOW_MS }),
  },
});
putClocksForward(ahead);

let calls = 0;
let longestMs = 0;
let asked = 0;
const ask = async () => {
  for (const end = performance.now() + WATCH_MS; performance.now() < end; await sleep(1)) {
    asked = performance.now();
    await provide();
    longestMs = Math.max(longestMs, performance.now() - asked);
    calls += 1;
  }
};
const stillWaiting = await Promise.race([ask().then(() => false), sleep(PATIENCE_MS).then(() => true)]);
if (stillWaiting) longestMs = performance.now() - asked;
report({ calls, longestMs, stillWaiting });
process.exit();
