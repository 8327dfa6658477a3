// `npm run scale`: what many instances and many sessions ask of the identity endpoint, and what they cost. See HELP.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { main, root, run, StepError, step } from "./steps.mjs";
import { checkNode } from "./toolchain.mjs";

const HELP = `npm run scale -- [--quick] [--json] [--write file]

Simulates fleets of 10 to 100,000 instances, then measures 1 to 10,000 providers in one process and up to 200 real Copilot sessions
on one runtime. About two minutes; sessions are measured on Linux only.

  --quick       fewer providers and sessions
  --json        print the figures as JSON, no tables
  --write file  put the tables into a Markdown file, between its two marks: docs/reference/scale.md`;

const BEGIN = "<!-- made by npm run scale -- --write -->";
const END = "<!-- end of what npm run scale makes -->";
const PROVIDERS = [1, 10, 100, 1_000, 10_000];
const SESSIONS = [1, 10, 50, 100, 200];
const MB = 1e6;

await main(async () => {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "boolean" },
      write: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  checkNode();
  const target = values.write && targetOf(values.write);
  await build();
  const figures = await measured(values.quick);
  if (values.json) console.log(JSON.stringify(figures, undefined, 2));
  else console.log(markdownOf(figures));
  if (target)
    writeFileSync(target.path, `${target.before}${BEGIN}\n\n${markdownOf(figures)}\n\n${END}${target.after}`);
  return 0;
});

/** Looked at before the measurement: it takes minutes. */
function targetOf(file) {
  const path = resolve(file);
  const [before, rest] = (existsSync(path) ? readFileSync(path, "utf8") : "").split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) {
    throw new StepError(
      `${file} has no marks between which the tables belong`,
      "docs/reference/scale.md has them.",
    );
  }
  return { path, before, after };
}

async function measured(quick) {
  // Not before the build: they import the package as users do.
  const { outageRows, refreshRows } = await import("../benches/scale/fleet.mjs");
  const { startEmulator } = await import("copilot-keyless/emulator");
  const refreshes = await step("Fleets at their refresh", refreshRows);
  const outages = await step("A fleet without its identity endpoint", outageRows);
  const program = async (name, count) => {
    const emulator = await startEmulator({ logLimit: 20 });
    try {
      const env = { ...emulator.env, NODE_NO_WARNINGS: "1" };
      const out = await run(process.execPath, [join(root, "benches/scale", name), String(count)], { env });
      return {
        count,
        ...JSON.parse(out.trim().split("\n").at(-1)),
        identityRequests: emulator.counts.identity,
      };
    } finally {
      await emulator.stop();
    }
  };
  const each = async (title, name, counts) => {
    const rows = [];
    for (const count of counts) rows.push(await step(`${title}: ${count}`, () => program(name, count)));
    return rows;
  };
  const providers = await each("Providers in one process", "providers.mjs", quick ? [1, 100] : PROVIDERS);
  const linux = process.platform === "linux";
  const sessions = linux
    ? await each("Sessions of one runtime", "sessions.mjs", quick ? [1, 10] : SESSIONS)
    : [];
  return { refreshes, outages, providers, sessions };
}

function markdownOf({ refreshes, outages, providers, sessions }) {
  const number = (value) => value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 1 : 0 });
  const hours = (ms) => `${ms / 3_600_000} h`;
  const parts = [
    [
      "Requests at the identity endpoint in the busiest second of the first refresh; all instances started within one second:",
      ["tokens of", "instances", "this package", "spread over", "a fixed window of two minutes"],
      refreshes.map(({ life, instances, keyless, "fixed-window": fixed }) => [
        hours(life),
        number(instances),
        number(keyless.perSecond),
        `${keyless.seconds} s`,
        number(fixed.perSecond),
      ]),
    ],
    [
      "An hour without the identity endpoint (503), begun a minute before the refresh of 10,000 instances with tokens of 24 h and a call every 10 s:",
      [
        "",
        "requests an instance",
        "in the busiest second",
        "in the busiest second after",
        "calls",
        "calls lost",
      ],
      outages.map((row) => [
        row.strategy === "keyless" ? "this package" : "a fixed window, retried every 3 s",
        number(row.requestsPerInstance),
        number(row.perSecond),
        number(row.perSecondAfter),
        number(row.calls),
        number(row.failed),
      ]),
    ],
    [
      "Providers in one process (`createFoundryProvider`), all asked at once, then in turn:",
      ["providers", "identity requests", "heap each", "a cached call"],
      providers.map((row) => [
        number(row.count),
        number(row.identityRequests),
        `${number(row.bytes)} bytes`,
        `${number(row.nanoseconds)} ns`,
      ]),
    ],
    [
      "Sessions of one Copilot runtime, a turn each, all kept open:",
      ["sessions", "answered", "identity requests", "this process", "the runtime"],
      sessions.map((row) => [
        number(row.count),
        number(row.answered),
        number(row.identityRequests),
        `${number(row.own / MB)} MB`,
        `${number(row.runtime / MB)} MB`,
      ]),
    ],
  ];
  return parts.map(([title, head, rows]) => `${title}\n\n${tableOf(head, rows)}`).join("\n\n");
}

function tableOf(head, rows) {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
