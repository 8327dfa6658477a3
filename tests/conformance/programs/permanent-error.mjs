// The identity endpoint fails for an hour with a status that retries cannot fix, then recovers. No
// calls.
import { HOUR, MINUTE, SECOND, SimulatedClock } from "./clocks.mjs";
import { outcomeOf, report, ScriptedCredential, systemUnderTest } from "./systems.mjs";

const refuse = async () => {
  throw Object.assign(new Error("identity not found"), { statusCode: 400 });
};

const clock = new SimulatedClock();
const credential = new ScriptedCredential(clock.now, 24 * HOUR);
const provide = await systemUnderTest().create(credential, clock, { keepFresh: true });
await provide();
credential.failure = refuse;
await clock.advance(13 * HOUR);
const attempts = credential.asked - 1;
credential.failure = undefined;
await clock.advance(10 * MINUTE);
const whileIdle = { attempts, issued: credential.issued, state: provide.status.state };

const cold = new ScriptedCredential(clock.now, HOUR);
cold.failure = refuse;
const provideCold = await systemUnderTest().create(cold, clock);
const first = await outcomeOf(provideCold);
cold.failure = undefined;
await clock.advance(11 * SECOND);
report({ whileIdle, cold: { first, afterwards: await outcomeOf(provideCold) } });
