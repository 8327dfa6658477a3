export { FakeClock, START, settle } from "../../js/testing/fake-clock.js";
