// Runs `gateway --config`, its reload and `--check` of the built command line, against two emulators
// as two regions.

import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Emulator, startEmulator } from "copilot-keyless/emulator";
import { afterAll, expect, test } from "vitest";
import { newcomer } from "../../support/process.js";
import { expectTold } from "../cli/support.js";
import { gateway, startGateway } from "./support.js";

const east = await startEmulator({ chunkDelayMs: 0 });
const west = await startEmulator({ chunkDelayMs: 0 });
afterAll(() => Promise.all([east.stop(), west.stop()]));

const folder = mkdtempSync(join(tmpdir(), "ck-config-"));
const env = () => newcomer({ XDG_RUNTIME_DIR: mkdtempSync(join(tmpdir(), "ck-run-")) });

/** Writes a file with backends to emulators, each with its identity. */
function config(name: string, backends: Record<string, Emulator>, more = ""): string {
  const file = join(folder, name);
  const tables = Object.entries(backends).map(
    ([name, { foundry, env }]) => `
[[backends]]
name = "${name}"
endpoint = "${foundry.url}/openai/v1/"
credential = "direct"
models = ["gpt-5.5"]
[backends.env]
${Object.entries(env)
  .map(([variable, value]) => `${variable} = ${JSON.stringify(value)}`)
  .join("\n")}`,
  );
  writeFileSync(file, `${more}\n${tables.join("\n")}\n`);
  return file;
}

async function serving(args: string[], more: Record<string, string> = {}) {
  const { child, line } = await startGateway(["--json", ...args], { ...env(), ...more });
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += chunk;
  });
  const { url, key, backends } = JSON.parse(line);
  const ask = async () => {
    const response = await fetch(`${url}/openai/v1/responses`, {
      method: "POST",
      headers: { "api-key": key, "content-type": "application/json" },
      body: JSON.stringify({ model: "gpt-5.5", input: "Hello" }),
    });
    await response.text();
    return response.status;
  };
  return { child, url, key, backends, ask, log: () => log };
}

test("a file is read again at SIGHUP, without losing a request; one with a fault changes nothing", async () => {
  const file = config("gateway.toml", { east }, 'keyFile = "key"');
  const { child, ask, log } = await serving(["--config", file]);
  expect(await ask()).toBe(200);
  const asked = () => [east, west].map(({ counts }) => counts.foundry);
  const [first, second] = asked() as [number, number];
  const held = east.faults.add({ server: "foundry", kind: "delay", delayMs: 500 });
  const slow = ask();
  await expect.poll(() => held.hits).toBe(1);
  config("gateway.toml", { west, east }, 'keyFile = "key"');
  child.kill("SIGHUP");
  await expect.poll(log).toContain('"backends":["west","east"]');
  const many = await Promise.all(Array.from({ length: 20 }, ask));
  expect([await slow, ...many]).toEqual(Array(21).fill(200));
  expect(asked()[1]).toBeGreaterThan(second);
  expect((asked()[0] as number) + (asked()[1] as number)).toBe(first + second + 21);

  writeFileSync(file, "[[backends]]\nendpoit = 'x'\n");
  child.kill("SIGHUP");
  await expect.poll(log).toContain("gateway.toml:2: backends[0].endpoit does not exist");
  await expect.poll(log).toContain("from before");
  writeFileSync(file, "port = 1\n[[backends]]\nendpoint = 'https://x.openai.azure.com'\n");
  child.kill("SIGHUP");
  await expect.poll(log).toContain("port and host cannot change");
  expect(await ask()).toBe(200);
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
});

test("the environment names the file, and flags override it", async () => {
  const file = config("own.toml", { east, west }, 'keyFile = "own-key"\nlog = "none"');
  const { url, key, backends, log } = await serving(["--key-file", join(folder, "flag-key")], {
    COPILOT_KEYLESS_GATEWAY_CONFIG: file,
    COPILOT_KEYLESS_GATEWAY_PORT: "0",
  });
  expect(backends).toEqual([
    { name: "east", endpoint: `${east.foundry.url}/openai/v1/` },
    { name: "west", endpoint: `${west.foundry.url}/openai/v1/` },
  ]);
  const { status } = await fetch(`${url}/openai/v1/models`, { headers: { "api-key": key } });
  expect(status).toBe(200);
  await expect.poll(log).toContain('"backend":"east"');
});

test("--check diagnoses each backend; its exit code is 1 if one fails", async () => {
  const file = config("check.toml", { east, west });
  const well = await gateway(["--check", "--config", file], env());
  expect(well.code).toBe(0);
  expect(well.stdout.match(/All checks passed/g)).toHaveLength(2);
  west.foundry.setRoles([]);
  const ill = await gateway(["--check", "--config", file], env());
  expect(ill.code).toBe(1);
  expect(ill.stdout).toMatch(/^west\n[\s\S]*missing-role/m);
  const json = await gateway(["--check", "--json", "--config", file], env());
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({
    ok: false,
    backends: [
      { backend: "east", ok: true, checks: expect.any(Array) },
      { backend: "west", ok: false, problem: { code: "missing-role" } },
    ],
  });
  west.foundry.setRoles(["Foundry User"]);
  expect(well.stdout + ill.stdout + json.stdout).not.toMatch(/eyJ/);

  const single = await gateway(["--check"], { ...env(), ...east.env });
  expect(single.code).toBe(0);
  expect(single.stdout).toContain("All checks passed");
});

test("a file with a fault, or none, ends it with 1 and the line", async () => {
  const file = join(folder, "bad.toml");
  writeFileSync(file, "port = 4141\nhots = 'x'\n");
  for (const more of [[], ["--check"]]) {
    const result = await gateway([...more, "--config", file], env());
    expectTold(result, "gateway/config");
    expect(result.stderr).toContain(`${file}:2: hots does not exist`);
    expect(result.stderr).toContain("Did you mean host?");
  }
  expectTold(await gateway(["--config", join(folder, "none.toml")], env()), "gateway/config");
});
