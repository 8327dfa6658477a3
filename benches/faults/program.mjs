// One contender in a process of its own, which does what it is told: `node program.mjs <contender>`.
//
// It is a server, as far as its life is concerned: it ends when it is told to, is killed, or crashes.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { moveClocks } from "../../tests/conformance/programs/clocks.mjs";
import { CONTENDERS } from "./contenders.mjs";

// The clocks are replaced before anything under test is loaded.
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

/** How a call ended, with what a user sees of an error. */
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

/** Writes until nothing more fits; the small blocks at the end take what the large ones leave. */
function fillDisk() {
  for (const bytes of [1 << 20, 1 << 12, 1]) {
    try {
      for (;;) writeFileSync(ballast(), Buffer.alloc(bytes), { flag: "a" });
    } catch (error) {
      if (error.code !== "ENOSPC") throw error;
    }
  }
}
