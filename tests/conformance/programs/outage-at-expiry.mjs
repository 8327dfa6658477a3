// A background refresh runs during an outage of the identity endpoint, and the token expires
// without any calls.
import { HOUR, MINUTE, SimulatedClock } from "./clocks.mjs";
import { outcomeOf, report, ScriptedCredential, systemUnderTest, unreachable } from "./systems.mjs";

const clock = new SimulatedClock();
const credential = new ScriptedCredential(clock.now, HOUR);
const provide = await systemUnderTest().create(credential, clock);
await provide();

credential.failure = unreachable;
await clock.advance(58.5 * MINUTE);
const inUse = await provide();
await clock.advance(11.5 * MINUTE);

credential.failure = undefined;
const afterwards = await outcomeOf(provide);
report({ inUse, afterwards });
