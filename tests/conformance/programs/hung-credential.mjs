// Measures for a day how long callers wait when the credential never responds.
import { HOUR, MINUTE, SECOND, SimulatedClock } from "./clocks.mjs";
import { outcomeOf, report, ScriptedCredential, systemUnderTest } from "./systems.mjs";

const clock = new SimulatedClock();
const credential = new ScriptedCredential(clock.now, HOUR);
credential.failure = () => new Promise(() => {});
const provide = await systemUnderTest().create(credential, clock);

const started = clock.mono;
const callers = [];
for (let n = 0; n < 3; n += 1) {
  callers.push(outcomeOf(provide).then((outcome) => ({ ...outcome, afterMs: clock.mono - started })));
}
for (let n = 0; n < 60; n += 1) await clock.advance(SECOND);
for (let n = 0; n < 24 * 60; n += 1) await clock.advance(MINUTE);
const pending = { error: "still waiting" };
const ended = await Promise.all(callers.map((caller) => Promise.race([caller, pending])));

// Whether the system recovers when the credential does.
credential.failure = undefined;
const afterwards = outcomeOf(provide);
await clock.advance(MINUTE);
report({ ended, afterwards: await Promise.race([afterwards, pending]) });
