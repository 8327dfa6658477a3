// `npm run live`: checks the claims about Azure that only an emulator has confirmed, on the resource
// of FOUNDRY_RESOURCE_URL. Asks before it sends anything. Writes target/live-report.md, without
// tokens, ids and names. Exit code 1 when a claim does not hold.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { quickBuild } from "./build.mjs";
import { command } from "./command.mjs";
import { main, output, root, StepError } from "./steps.mjs";

const REPORT = "target/live-report.md";
const ABOUT = `Checks the resource of FOUNDRY_RESOURCE_URL, with the deployment of FOUNDRY_MODEL_NAME and your sign-in
(az login). To try it without Azure: npm run live -- --emulator`;

const checks = {
  prepare: quickBuild,
  about:
    "Checks the claims about Azure on your own resource, with your sign-in. Costs a few cents at most, and asks first.",
  options: [
    ["--yes", "do not ask before the requests"],
    ["--emulator", "run against the embedded emulator; costs nothing and does not ask"],
  ],
  async run({ yes, emulator }, signal) {
    const { announcement, CHECKS } = await import("../tests/live/catalogue.mjs");
    const { pageOf, textOf } = await import("../tests/live/report.mjs");
    if (!emulator) {
      console.error(ABOUT);
      console.error(`${await described()}\n\n${announcement()}\n`);
      if (!yes && !(await agreed(signal))) throw new StepError("Nothing was sent");
    }
    const { live } = await import("../tests/live/run.mjs");
    const { liveEmulated } = await import("../tests/live/emulated.mjs");
    let done = 0;
    const onCheck = ({ name, verdict }) => console.error(`… ${++done}/${CHECKS.length} ${name}: ${verdict}`);
    const commit = output("git", ["rev-parse", "--short", "HEAD"]) ?? "unknown";
    const data = { commit, ...(await (emulator ? liveEmulated : live)({ signal, onCheck })) };
    // MSAL takes no abort signal, and goes on asking.
    if (signal.aborted) setTimeout(() => process.exit(), 500).unref();
    mkdirSync(join(root, "target"), { recursive: true });
    writeFileSync(join(root, REPORT), pageOf(data));
    console.error(`The report is in ${REPORT}. Read it, then paste it into an issue.`);
    const { default: pc } = await import("picocolors");
    const differing = data.results.filter(({ verdict }) => verdict === "differs");
    const none = data.results.every(({ verdict }) => verdict !== "confirmed");
    return {
      data,
      text: textOf(data, pc.createColors(process.stdout.isTTY === true && !process.env.NO_COLOR)),
      faults: [
        ...differing.map(({ name, expected, seen }) => `${name}: expected ${expected}; seen: ${seen}`),
        ...(none ? [`nothing could be confirmed: ${data.results[0].seen}`] : []),
      ],
      good: "no claim differs",
    };
  },
};

/** Says what will be checked, before anything is sent. Rejects settings that cannot be used. */
async function described() {
  const { target } = await import("../tests/live/target.mjs");
  const { endpoint, config, model, credential, close } = target();
  close();
  return `${endpoint.baseUrl}, deployment ${config.wireModel ?? model}, credential ${credential.kind}.`;
}

/** Asks at the terminal. Without one, `--yes` has to be given. */
async function agreed(signal) {
  if (!process.stdin.isTTY) throw new StepError("There is no terminal to ask at", "Add --yes to go on.");
  process.stderr.write("Go on? [y/N] ");
  // Not in terminal mode, so that Ctrl-C reaches this process as a signal. Ctrl-D ends without a line.
  const lines = createInterface({ input: process.stdin, signal });
  try {
    for await (const answer of lines) return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}

await main(() => command("live", checks, process.argv.slice(2)));
