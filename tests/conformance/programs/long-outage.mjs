// A token of 24 h, due at half its lifetime. From then on the identity endpoint fails for 12 h. A
// call every 15 s.
import { HOUR, SECOND, SimulatedClock } from "./clocks.mjs";
import { outcomeOf, report, ScriptedCredential, systemUnderTest, unreachable } from "./systems.mjs";

const clock = new SimulatedClock();
const credential = new ScriptedCredential(clock.now, 24 * HOUR, { refreshAfterMs: 12 * HOUR });
const provide = await systemUnderTest().create(credential, clock);
await provide();

await clock.advance(12 * HOUR);
credential.failure = unreachable;
const askedBefore = credential.asked;
let calls = 0;
let failed = 0;
// The last call comes 15 s before the expiry, because every system stops using a token earlier than
// at its last moment.
for (let passed = 0; passed < 12 * HOUR; passed += 15 * SECOND) {
  await clock.advance(passed === 0 ? 1 : 15 * SECOND);
  calls += 1;
  if ((await outcomeOf(provide)).error) failed += 1;
}
const attempts = credential.asked - askedBefore;

// The outage ends in the second in which the token expires.
await clock.advance(14 * SECOND);
credential.failure = undefined;
await clock.advance(SECOND);
const first = outcomeOf(provide);
// Advance the clock for systems that retry on a timer.
await clock.advance(3 * SECOND);
report({ calls, failed, attempts, first: await first });
