// `copilot-keyless doctor` waits for a token only as long as the policy allows: 15 seconds.

import { startEmulator } from "copilot-keyless/emulator";
import { expect, test } from "vitest";
import { newcomer } from "../../support/process.js";
import { cli } from "./support.js";

test("a hanging identity endpoint: reported at the deadline, and then the process ends", async () => {
  await using emulator = await startEmulator();
  emulator.faults.add({ server: "identity", kind: "hang", times: Infinity });
  const started = performance.now();
  const result = await cli(["doctor"], newcomer({ ...emulator.env }));
  expect(result.code).toBe(1);
  expect(result.stdout).toMatch(/^✗ credential\/network {2}No token within 15 s/m);
  expect(performance.now() - started).toBeLessThan(40_000);
});
