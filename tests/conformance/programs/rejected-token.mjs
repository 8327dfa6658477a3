// The resource rejects a token long before it expires, as after a revocation. Measures how long
// callers still get it.
import { HOUR, MINUTE, SimulatedClock } from "./clocks.mjs";
import { report, ScriptedCredential, systemUnderTest } from "./systems.mjs";

const clock = new SimulatedClock();
const credential = new ScriptedCredential(clock.now, HOUR);
const system = systemUnderTest();
const provide = await system.create(credential, clock);

const rejected = await provide();
const told = system.reject(provide, rejected);
let minutes = 0;
while ((await provide()) === rejected) {
  minutes += 1;
  await clock.advance(MINUTE);
}
report({ told, canBeTold: "invalidate" in provide, minutes });
