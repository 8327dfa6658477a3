// Counts the requests of 1,000 calls within the 240 s of a token, which MSAL does not cache.
import { startEmulator } from "copilot-keyless/emulator";
import { putClocksForward, sleep } from "../../tests/conformance/programs/clocks.mjs";
import { credentialOf, report, systemOver } from "./systems.mjs";

const [name] = process.argv.slice(2);
const LIFETIME_S = 240;
const CALLS = 1_000;

const emulator = await startEmulator({ tokenLifetimeSeconds: LIFETIME_S });
Object.assign(process.env, emulator.env);
const provide = await systemOver(name, await credentialOf("ManagedIdentityCredential"));
for (let call = 0; call < CALLS; call += 1) {
  await provide();
  putClocksForward((LIFETIME_S * 1_000) / CALLS - 1);
  // Real time, for work in the background.
  if (call % 20 === 0) await sleep(2);
}
report({ requests: emulator.counts.identity });
process.exit();
