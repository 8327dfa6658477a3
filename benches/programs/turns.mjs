// Measures turns of two sessions of one Copilot client, in turn: with our provider, attached, and
// with a static token.
import { CopilotClient } from "@github/copilot-sdk";
import { createFoundryProvider } from "copilot-keyless";
import { median } from "../median.mjs";
import { quiet } from "./copilot.mjs";
import { report } from "./systems.mjs";

const [, turns = "200"] = process.argv.slice(2);
const WARM_TURNS = 5;

const client = new CopilotClient({ useLoggedInUser: false });
await client.start();
const foundry = createFoundryProvider();
const sessions = [
  ["copilot-keyless", await client.createSession(foundry.sessionConfig(quiet))],
  [
    "static token",
    await client.createSession({ ...foundry.sessionConfig(quiet), provider: await foundry.staticConfig() }),
  ],
];
// As the guides have it: a refused token is replaced, an error explained.
foundry.attach(sessions[0][1]);
const times = new Map(sessions.map(([name]) => [name, []]));
for (let turn = -WARM_TURNS; turn < Number(turns); turn += 1) {
  // Each goes first in every other round.
  for (const [name, session] of turn % 2 === 0 ? sessions : sessions.toReversed()) {
    const began = performance.now();
    await session.sendAndWait({ prompt: `Turn ${turn}` });
    if (turn >= 0) times.get(name).push(performance.now() - began);
  }
}
const p99 = (list) => list.toSorted((a, b) => a - b)[Math.floor(0.99 * (list.length - 1))];
report(Object.fromEntries([...times].map(([name, list]) => [name, { ms: median(list), p99: p99(list) }])));
await client.stop();
process.exit();
