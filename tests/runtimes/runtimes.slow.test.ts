// Runs the suite on the installed package in every runtime, each in its own process.
// docs/reference/runtimes.md contains the results as a table.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installed, linkPackages } from "../package/support.js";
import { root } from "../support/process.js";
import { DENO } from "./permissions.js";
import { CASES, type Result } from "./suite.js";
import { bundleSuite, chromium, files, program, type Runner, withSettings, writePage } from "./support.js";
import { between, replaced, table } from "./table.js";
import { workerd } from "./workerd.js";

const folder = installed();
linkPackages(folder, ["@azure", "@github"]);
await bundleSuite(folder);
writePage(folder);
const page = await files(folder);
afterAll(() => page.stop());

const names = CASES.map(([name]) => name);

/** Runs the cases in groups, each with only the permissions that it needs. */
const deno: Runner = async (settings, asked) => {
  const results: Result[] = [];
  for (const { permissions, cases } of DENO(settings)) {
    const some = asked.filter((name) => cases(name));
    results.push(
      ...(await program(folder, ".bin/deno", ["run", "--no-prompt", ...permissions])(settings, some)),
    );
  }
  return asked.map((name) => results.find((result) => result.name === name) as Result);
};

const AGENT = "Copilot SDK and runtime: a conversation by the agent";
const CHALLENGES = "Copilot SDK and runtime: `createClaimsChallengeHandler`";
const IDENTITY = "`@azure/identity` by default";
const FILE = "direct credential: workload identity, the federated token in a file";

const TLS = "direct credential: Service Fabric, an AKS identity binding";

/** Cases that need child processes, files or Node's TLS. */
const WITHOUT_PROGRAMS = {
  [FILE]: "credential/configuration",
  [TLS]: "credential/unavailable",
  [IDENTITY]: "credential/not-installed",
  [AGENT]: "sdk/unsupported-platform",
  [CHALLENGES]: "sdk/unsupported-platform",
};

/**
 * As in Azure, identity endpoints do not answer pages of other origins. Pages get tokens from their
 * own server.
 */
const WITHOUT_IDENTITY = Object.fromEntries(
  [
    "direct credential: App Service, Functions, Container Apps",
    "direct credential: virtual machine (IMDS)",
    "direct credential: service principal with a secret",
    "direct credential: workload identity, the federated token by a callback",
    "direct credential: GitHub Actions, the auth sidecar, Azure Machine Learning",
    "direct credential: `createFoundryProvider`",
    "direct credential: `createEdgeChatHandler`",
  ].map((name) => [name, "credential/network"]),
);

/** Cases for servers: pages can neither set these headers nor stream a request's body. */
const OF_SERVERS = /^`createEdgeGateway`/;

/** The runtimes, and the cases that each does not support, by error code. */
const RUNTIMES: [name: string, runner: Runner, cannot: Record<string, string>][] = [
  ["Node 20", program(folder, "node-20/bin/node"), {}],
  ["newest Node", program(folder, "node/bin/node"), {}],
  ["Deno", deno, {}],
  ["Bun", program(folder, ".bin/bun"), {}],
  ["workerd", workerd(folder), WITHOUT_PROGRAMS],
  ["Chromium", chromium(page.address), { ...WITHOUT_PROGRAMS, ...WITHOUT_IDENTITY }],
];

const all = new Map<string, Result[]>();

describe.each(RUNTIMES)("%s", (runtime, runner, cannot) => {
  const asked = runtime === "Chromium" ? names.filter((name) => !OF_SERVERS.test(name)) : names;
  let results: Result[];
  beforeAll(async () => {
    results = await withSettings(page.address, (settings) => runner(settings, asked));
    all.set(runtime, results);
  }, 300_000);

  test.each(asked)("%s", (name) => {
    const result = results.find((one) => one.name === name);
    const code = cannot[name];
    expect(result, result?.message).toMatchObject(
      code === undefined ? { verdict: "pass" } : { verdict: "cannot", code },
    );
    if (code !== undefined) expect(result?.hint).toMatch(/\w/);
  });
});

test("docs/reference/runtimes.md has these results", () => {
  const path = join(root, "docs/reference/runtimes.md");
  const now = table(names, all);
  if (process.env.WRITE_DOCS) writeFileSync(path, replaced(readFileSync(path, "utf8"), now));
  expect(between(readFileSync(path, "utf8"))).toBe(now);
});
