// Measures when the process ends if its work is done and a refresh in the background has just
// failed. The next attempt would succeed.
import { HOUR, MINUTE, putClocksForward, settle } from "./clocks.mjs";
import { report, ScriptedCredential, systemUnderTest, unreachable } from "./systems.mjs";

const credential = new ScriptedCredential(() => Date.now(), HOUR);
const provide = await systemUnderTest().create(credential);
await provide();
putClocksForward(59 * MINUTE);
credential.failure = () => {
  credential.failure = undefined;
  return unreachable();
};
const token = await provide();
await settle();

const done = process.hrtime.bigint();
const holding = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
process.on("exit", () => {
  report({ token, holding, heldMs: Number(process.hrtime.bigint() - done) / 1e6 });
});
