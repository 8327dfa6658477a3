// Lists the provider's resources that would keep an idle process alive.
import { createBearerTokenProvider } from "copilot-keyless";
import { HOUR, MINUTE, putClocksForward, settle } from "./clocks.mjs";
import { outcomeOf, report, SCOPE, ScriptedCredential, unreachable } from "./systems.mjs";

// The output streams exist before the provider.
const before = process.getActiveResourcesInfo();
const added = () => {
  const left = [...before];
  return process.getActiveResourcesInfo().filter((kind) => {
    const at = left.indexOf(kind);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
};
const found = {};

const credential = new ScriptedCredential(() => Date.now(), HOUR);
const options = { onEvent: () => {}, keepFresh: true };
const provide = createBearerTokenProvider(credential, SCOPE, options);
found.created = added();
await provide();
found.fresh = added();

putClocksForward(59 * MINUTE);
credential.failure = unreachable;
await provide();
await settle();
found["refresh failed"] = added();

// A background refresh that never ends.
putClocksForward(0.75 * MINUTE);
credential.failure = () => new Promise(() => {});
await provide();
await settle();
found["refresh hanging"] = added();
const { refreshing } = provide.status;

const cold = new ScriptedCredential(() => Date.now(), HOUR);
cold.failure = unreachable;
const provideCold = createBearerTokenProvider(cold, SCOPE);
await outcomeOf(provideCold);
found["cold failure"] = added();
provideCold.close();
found.closed = added();

// The program ends with `provide` open, kept fresh, and refreshing.
const done = process.hrtime.bigint();
process.on("exit", () => {
  report({ found, refreshing, heldMs: Number(process.hrtime.bigint() - done) / 1e6 });
});
