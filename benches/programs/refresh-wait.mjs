// A token of 24 h is past half its life and is refreshed, by an endpoint that is slow or hangs. A caller every millisecond: the
// longest wait.
import { HOUR, putClocksForward, sleep, timed } from "../../tests/conformance/programs/clocks.mjs";
import { credentialOf, report, systemOver, tell } from "./systems.mjs";

const [name, fault, patience = "8000"] = process.argv.slice(2);
const SLOW_MS = 500;
const PATIENCE_MS = Number(patience);
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

const end = performance.now() + (fault === "hang" ? PATIENCE_MS : 2 * SLOW_MS);
let calls = 0;
let longestMs = 0;
const ask = async () => {
  for (; performance.now() < end; await sleep(1)) {
    const { ms } = await timed(async () => ({ token: await provide() }));
    calls += 1;
    longestMs = Math.max(longestMs, ms);
  }
};
const began = performance.now();
const left = await Promise.race([ask().then(() => false), sleep(PATIENCE_MS + 1_000).then(() => true)]);
// A caller who still waits has waited since the last one was served.
report({ calls, longestMs: left && calls === 0 ? performance.now() - began : longestMs, stillWaiting: left });
process.exit();
