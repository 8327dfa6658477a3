// Checks the workflows: pinned actions, minimal permissions, existing commands, and all published
// crates.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { root, run } from "../support/process.js";

interface Step {
  uses?: string;
  with?: Record<string, unknown>;
  run?: string;
}

interface Job {
  permissions?: Record<string, string>;
  environment?: string;
  needs?: string | string[];
  "timeout-minutes"?: number;
  steps: Step[];
}

interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

const read = (file: string) => readFileSync(join(root, file), "utf8");
const folder = ".github/workflows";
const files = readdirSync(join(root, folder));
const workflow = (file: string) => parse(read(`${folder}/${file}`)) as Workflow;
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

test("there are three", () => {
  expect(files.sort()).toEqual(["canary.yml", "pull-request.yml", "release.yml"]);
});

describe.each(files)("%s", (file) => {
  const { on, permissions, jobs } = workflow(file);
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  const commands = steps.flatMap((step) => step.run ?? []);

  test("names actions by commit, with the version beside it", () => {
    const uses = [...read(`${folder}/${file}`).matchAll(/uses: (.*)/g)].map(([, action]) => action);
    expect(uses.length).toBeGreaterThan(0);
    for (const action of uses) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("may read by default, and write only where it must", () => {
    expect(["{}", '{"contents":"read"}']).toContain(JSON.stringify(permissions));
    const writing = Object.entries(jobs).flatMap(([name, job]) =>
      Object.entries(job.permissions ?? {})
        .filter(([, access]) => access !== "read")
        .map(([scope, access]) => `${name}: ${scope} ${access}`),
    );
    const expected = ["npm: id-token write", "crates: id-token write", "notes: contents write"];
    expect(writing).toEqual(file === "release.yml" ? expected : []);
  });

  test("keeps its token from later steps, and ends in time", () => {
    for (const step of steps.filter(({ uses }) => uses?.startsWith("actions/checkout@")))
      expect(step.with).toMatchObject({ "persist-credentials": false });
    for (const job of Object.values(jobs)) expect(job["timeout-minutes"]).toBeLessThanOrEqual(90);
    expect(Object.keys(on)).not.toContain("pull_request_target");
  });

  test("runs scripts that exist, and expands nothing in a command", () => {
    for (const command of commands) {
      expect(command).not.toContain("${{");
      const [, name] = /^npm (?:run (?:--silent )?)?([\w:-]+)/.exec(command) ?? [];
      if (name && !["install", "publish"].includes(name)) expect(Object.keys(scripts)).toContain(name);
      else
        expect(command).toMatch(
          /^(npm (install|publish)|cargo publish|gh release create|sudo apt-get install) /,
        );
    }
  });
});

describe("a release", () => {
  const { on, jobs } = workflow("release.yml");
  const commands = Object.values(jobs).flatMap((job) => job.steps.flatMap((step) => step.run ?? []));

  test("happens by a tag only, after the tests and with an approval", () => {
    expect(on).toEqual({ push: { tags: ["v*"] } });
    expect([jobs.npm?.needs, jobs.crates?.needs, jobs.notes?.needs]).toEqual([
      "test",
      "npm",
      ["npm", "crates"],
    ]);
    expect([jobs.npm?.environment, jobs.crates?.environment]).toEqual(["release", "release"]);
    expect(commands[0]).toBe('npm run release:check -- "$GITHUB_REF_NAME"');
  });

  test("uses an npm that knows trusted publishing", () => {
    const [, version = ""] = /npm@(\S+)/.exec(commands.join("\n")) ?? [];
    const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
    expect(major * 10_000 + minor * 100 + patch).toBeGreaterThanOrEqual(110_501);
  });

  test("publishes every crate that is not private", () => {
    const tracked = execFileSync("git", ["ls-files", "Cargo.toml", "crates/*/Cargo.toml"], { cwd: root });
    const manifests = String(tracked).trim().split("\n");
    const crates = manifests.filter((file) => !/^publish = false/m.test(read(file)));
    const published = [...commands.join("\n").matchAll(/cargo publish .*--manifest-path (\S+)/g)];
    const order = published.map(([, manifest]) => manifest as string);
    expect(order.toSorted()).toEqual(crates.toSorted());
    // Each after those that it depends on, as the registry must have them.
    const paths = (manifest: string) =>
      [...read(manifest).matchAll(/^copilot-keyless.* path = "(.*?)"/gm)].map(([, path]) =>
        join(dirname(manifest), path as string, "Cargo.toml"),
      );
    for (const [at, manifest] of order.entries())
      expect(order.slice(0, at)).toEqual(expect.arrayContaining(paths(manifest)));
  });

  test("is refused for a tag of another version", async () => {
    const { code, stderr } = await run(process.execPath, [join(root, "scripts/release.mjs"), "v99.0.0"], {
      env: process.env as Record<string, string>,
    });
    expect(code).toBe(1);
    expect(stderr).toContain("the tag v99.0.0 is not v0.1.0");
  });

  test("has notes: the section of a version, without its heading", async () => {
    const { notesOf } = await import(new URL("../../scripts/release.mjs", import.meta.url).href);
    const changelog =
      "# Changelog\n\n## Unreleased\n\n## [1.2.0] - 2027-01-02\n\n- One\n\n## 1.1.0\n\n- Two\n";
    expect(notesOf("1.2.0", changelog)).toBe("- One");
    expect(notesOf("1.1.0", changelog)).toBe("- Two");
    expect(notesOf("1.2", changelog)).toBeUndefined();
  });
});
