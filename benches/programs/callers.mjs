// Counts the requests to the identity endpoint of 1,000 callers at once, without a token and after
// it has expired.
import { startEmulator } from "copilot-keyless/emulator";
import { HOUR, putClocksForward } from "../../tests/conformance/programs/clocks.mjs";
import { credentialOf, report, systemOver } from "./systems.mjs";

const [name] = process.argv.slice(2);
const CALLERS = 1_000;

// In this process, because its clock must move with the callers'.
const emulator = await startEmulator({ tokenLifetimeSeconds: 3_600 });
Object.assign(process.env, emulator.env);
const provide = await systemOver(name, await credentialOf("ManagedIdentityCredential"));
const all = () => Promise.all(Array.from({ length: CALLERS }, () => provide()));

const requestsOf = async (work) => {
  const before = emulator.counts.identity;
  await work();
  return emulator.counts.identity - before;
};
const cold = await requestsOf(all);
putClocksForward(HOUR + 5_000);
report({ cold, again: await requestsOf(all) });
process.exit();
