// The wall clock is set back by 2 h, as when one that ran fast is put right. Are tokens handed out that have expired? Are new
// ones taken? The credential adds their life to the wall clock, as MSAL does where the answer says `expires_in`.
import { HOUR, MINUTE, SimulatedClock } from "./clocks.mjs";
import { outcomeOf, report, ScriptedCredential, systemUnderTest } from "./systems.mjs";

const clock = new SimulatedClock();
const lifetimes = new Map();
const credential = new ScriptedCredential(clock.now, HOUR);
const issue = credential.getToken.bind(credential);
// MSAL too keeps its tokens until 300 s before they expire by the wall clock.
const caches = process.argv[3] === "caching";
let cache;
credential.getToken = async () => {
  if (caches && cache && cache.expiresOnTimestamp - 5 * MINUTE > clock.now()) return cache;
  cache = await issue();
  // The truth, by the clock that nobody can set.
  lifetimes.set(cache.token, clock.mono + HOUR);
  return cache;
};
const provide = await systemUnderTest().create(credential, clock);
await provide();

await clock.advance(30 * MINUTE);
clock.set(-2 * HOUR);
let calls = 0;
let dead = 0;
const errors = [];
for (let minute = 0; minute < 180; minute += 1) {
  await clock.advance(MINUTE);
  calls += 1;
  const { token, error } = await outcomeOf(provide);
  if (error) errors.push(error);
  else if (clock.mono >= lifetimes.get(token)) dead += 1;
}
report({ calls, dead, failed: errors.length, errors: [...new Set(errors)] });
