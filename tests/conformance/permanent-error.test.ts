// google-cloud-auth (Rust) ends its refresh loop at a permanent error. It cannot run here, so this
// tests only our provider.

import { expect, test } from "vitest";
import { OURS, reportOf } from "./support.js";

interface Found {
  whileIdle: { attempts: number; issued: number; state: string };
  cold: { first: { error: string }; afterwards: { token: string } };
}

test("ours only: an hour of HTTP 400 does not end the refresh, neither on a timer nor by calls", async () => {
  const { whileIdle, cold } = await reportOf<Found>("permanent-error", OURS);
  expect(whileIdle).toMatchObject({ issued: 2, state: "fresh" });
  // The refresh is due at half of 24 h. Attempts follow for an hour, up to 300 s apart.
  expect(whileIdle.attempts).toBeGreaterThan(10);
  expect(whileIdle.attempts).toBeLessThan(20);
  expect(cold.first.error).toBe("credential/refused");
  expect(cold.afterwards).toEqual({ token: "token-1" });
});
