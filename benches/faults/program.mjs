// Runs one contender in its own process: `node program.mjs <contender>`. It runs like a server,
// until a message ends it, it is killed, or it crashes.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { moveClocks } from "../../tests/conformance/programs/clocks.mjs";
import { CONTENDERS } from "./contenders.mjs";

// Replace the clocks before loading anything under test.
moveClocks({});
const contender = await CONTENDERS[process.argv[2]].create();

const COMMANDS = {
  ask: ({ prompt }) => outcomeOf(() => contender.ask(prompt)),
  clocks: ({ wall, monotonic }) => moveClocks({ wall, monotonic }),
  fill: fillDisk,
  empty: () => rmSync(ballast(), { force: true }),
  close: () => contender.close(),
};

process.on("message", async ({ id, command, ...args }) => {
  const result = await COMMANDS[command](args);
  process.send({ id, result });
  if (command === "close") process.exit(0);
});
process.send({ id: 0 });

/** Describes how a call ended, with the parts of an error that a user sees. */
async function outcomeOf(call) {
  const began = process.hrtime.bigint();
  const ended = await call().then(
    (text) => ({ text }),
    (error) => ({ error: told(error) }),
  );
  return { ...ended, ms: Number(process.hrtime.bigint() - began) / 1e6 };
}

function told(error) {
  const { name, code, message, hint } = Object(error);
  return { name, code, message: message ?? String(error), hint };
}

function ballast() {
  return join(process.env.COPILOT_HOME, "ballast");
}

/** Fills the disk: large blocks first, then small ones for the rest. */
function fillDisk() {
  for (const bytes of [1 << 20, 1 << 12, 1]) {
    try {
      for (;;) writeFileSync(ballast(), Buffer.alloc(bytes), { flag: "a" });
    } catch (error) {
      if (error.code !== "ENOSPC") throw error;
    }
  }
}
