// A conversation that outlives its tokens. The official samples acquire one token when the session
// begins ("the token is minted once at session creation", microsoft-foundry/foundry-samples,
// bring-your-own/invocations/resilient-copilot/src/resilient-copilot/copilot_session.py), so their
// model requests fail when it has expired.

import { expect, test } from "vitest";
import { json } from "../functions/support.js";
import { emulatorForAgents, JSON_ONLY, post, startAgent, user } from "./support.js";

const LIFETIME_S = 15;

test("40 s on tokens of 15 s: every turn is answered, with a valid token", { timeout: 90_000 }, async () => {
  // Without the platform's cache, which would hand out a token that is about to expire.
  const emulator = await emulatorForAgents({ tokenLifetimeSeconds: LIFETIME_S, platformCache: false });
  const agent = await startAgent(emulator);
  const end = Date.now() + 40_000;
  let turns = 0;
  let previous: string | undefined;
  while (Date.now() < end) {
    const headers = { ...JSON_ONLY, ...user("ann") };
    const answer = await json(await post(agent, "/invocations", { input: "Hi" }, headers));
    expect(answer.output).toBe(`Turn ${turns}: Hi`);
    const response = await post(
      agent,
      "/responses",
      { input: "Hi", previous_response_id: previous },
      headers,
    );
    expect(response.status).toBe(200);
    ({ id: previous } = await json(response));
    turns += 1;
    await new Promise((next) => setTimeout(next, 2_000));
  }
  expect(turns).toBeGreaterThan(10);
  const asked = emulator.requests.filter(({ server }) => server === "foundry");
  expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([200]));
  const tokens = new Set(asked.map(({ tokenId }) => tokenId));
  // At least one for each lifetime, and not one for each turn.
  expect(tokens.size).toBeGreaterThanOrEqual(3);
  expect(tokens.size).toBeLessThan(turns);
});
