/**
 * Helpers for tests and simulations: a clock that moves only when told to.
 * `copilot-keyless/emulator` has the identity endpoint and the Foundry resource that go with it.
 *
 * @packageDocumentation
 */

export type { Clock } from "./platform/clock.js";
export { FakeClock, type FakeTimer } from "./testing/fake-clock.js";
export { withClock } from "./testing/with-clock.js";
