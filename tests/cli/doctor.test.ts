// `copilot-keyless doctor` with the real @azure/identity, the real Copilot runtime and the emulator: a healthy set-up, and
// every diagnosis, each in a process and with an emulator of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Emulator, type Fault, startEmulator } from "copilot-keyless/emulator";
import { afterAll, describe, expect, test } from "vitest";
import { cli, expectClean, newcomer, root } from "./support.js";

const emulators: Emulator[] = [];
afterAll(() => Promise.all(emulators.map((emulator) => emulator.stop())));

async function emulated(...faults: Fault[]): Promise<Emulator> {
  const emulator = await startEmulator();
  emulators.push(emulator);
  for (const fault of faults) emulator.faults.add(fault);
  return emulator;
}

const CHECKS = ["environment", "endpoint", "credential", "token", "request", "turn"];

describe("a healthy set-up", () => {
  test("one line per check with its time, and exit code 0", async () => {
    const emulator = await emulated();
    const result = await cli(["doctor"], newcomer({ ...emulator.env }));
    expect(result.stderr).toBe("");
    const lines = result.stdout.trim().split("\n");
    for (const [index, name] of CHECKS.entries())
      expect(lines[index]).toMatch(new RegExp(`^✓ ${name} +\\d+(ms|s)  \\S`));
    expect(lines.slice(CHECKS.length)).toEqual(["", "All is well."]);
    expect(result.code).toBe(0);
    expect(lines[0]).toMatch(/Node \d+.*@github\/copilot-sdk 1\.\d+\.\d+.*@azure\/identity 4\./);
    expect(lines[1]).toContain(`${emulator.foundry.url}/openai/v1/`);
    expect(lines[1]).toContain("by FOUNDRY_RESOURCE_URL");
    expect(lines[2]).toMatch(/managed identity.*AZURE_TOKEN_CREDENTIALS/);
    expect(lines[3]).toMatch(
      /managed-identity: id-emulator for https:\/\/ai\.azure\.com, good for (1h|60m|59m)/,
    );
    expect(lines[4]).toMatch(/gpt-5\.5 answered, HTTP 200/);
    expect(lines[5]).toMatch(/Copilot runtime replied: .*ready/);
    expectClean(result);
    // The request and the turn share the token.
    expect(emulator.counts.identity).toBe(1);
    expect(emulator.counts.foundry).toBe(2);
  });

  test("as JSON, without a token", async () => {
    const emulator = await emulated();
    const result = await cli(["doctor", "--json"], newcomer({ ...emulator.env }));
    const { ok, checks, ...rest } = JSON.parse(result.stdout);
    expect(ok).toBe(true);
    expect(rest).toEqual({});
    expect(checks.map(({ name }: { name: string }) => name)).toEqual(CHECKS);
    for (const { status, ms, detail, warnings } of checks) {
      expect(status).toBe("passed");
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(detail).not.toBe("");
      expect(warnings).toEqual([]);
    }
    expect(checks[3]).toMatchObject({
      token: { audience: "https://ai.azure.com", principal: "managed-identity" },
    });
    expectClean(result);
  });
});

/** What each diagnosis takes, and a piece of its fix. */
const BROKEN: Record<string, { faults?: Fault[]; roles?: string[]; fix: RegExp; check?: string }> = {
  "missing-role": {
    roles: ["Owner"],
    fix: /^ +az role assignment create --assignee [\da-f-]{36} --role 5e0bd9bd-7b93-4f28-af87-19fc36ad61bd --scope/m,
  },
  "wrong-audience": {
    faults: [{ server: "identity", kind: "wrong-audience", times: Infinity }],
    fix: /^ +export FOUNDRY_TOKEN_SCOPE=https:\/\/ai\.azure\.com\/\.default$/m,
  },
  "token-expired": {
    faults: [
      {
        server: "identity",
        kind: "expired",
        expiresOn: String(Math.floor(Date.now() / 1000) + 3_600),
        times: Infinity,
      },
    ],
    fix: /clock/,
  },
  "token-invalid": { faults: [refusing("token-invalid")], fix: /revoked/ },
  "wrong-tenant": { faults: [refusing("wrong-tenant")], fix: /az account list/ },
  "custom-subdomain-required": { faults: [refusing("custom-subdomain-required")], fix: /--custom-domain/ },
  "bad-key": { faults: [refusing("bad-key")], fix: /unset AZURE_OPENAI_API_KEY/ },
  "keys-disabled": { faults: [refusing("keys-disabled")], fix: /apiKey/ },
  firewall: { faults: [refusing("firewall")], fix: /^ +az cognitiveservices account network-rule add/m },
  "public-access-disabled": { faults: [refusing("public-access-disabled")], fix: /private endpoint/ },
  "deployment-not-found": { faults: [refusing("deployment-not-found")], fix: /account deployment list/ },
  "wrong-path": { faults: [refusing("wrong-path")], fix: /copilot-keyless config/ },
  "api-version": { faults: [refusing("api-version")], fix: /Leave apiVersion out/ },
  "operation-not-supported": { faults: [refusing("operation-not-supported")], fix: /wireApi: "completions"/ },
  "rate-limited": { faults: [refusing("rate-limited")], fix: /usage list/ },
  "content-filter": { faults: [refusing("content-filter")], fix: /Rephrase/ },
  "gateway-key": { faults: [refusing("gateway-key")], fix: /Ocp-Apim-Subscription-Key/ },
  "bad-request": {
    faults: [{ server: "foundry", kind: "status", status: 400, times: Infinity }],
    fix: /copilot-keyless config/,
  },
  "server-error": { faults: [refusing("server-error")], fix: /status\.azure\.com/ },
  network: { faults: [{ server: "foundry", kind: "reset", times: Infinity }], fix: /network|proxy|firewall/ },
  unknown: {
    faults: [
      { server: "foundry", kind: "status", status: 402, body: { message: "Pay first" }, times: Infinity },
    ],
    fix: /own words/,
  },
};

function refusing(error: Extract<Fault, { kind: "status" }>["error"]): Fault {
  return { server: "foundry", kind: "status", times: Infinity, ...(error ? { error } : {}) };
}

describe("what is broken", () => {
  test.each(Object.entries(BROKEN))("%s", async (code, { faults = [], roles, fix }) => {
    const emulator = await emulated(...faults);
    if (roles) emulator.foundry.setRoles(roles);
    const result = await cli(["doctor"], newcomer({ ...emulator.env }));
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/^✗ request +\d+(ms|s) {2}\S/m);
    expect(result.stdout).toMatch(/^- turn +not tried$/m);
    expect(result.stdout).toMatch(new RegExp(`^✗ ${code}  \\S`, "m"));
    expect(result.stdout).toMatch(fix);
    expectClean(result);
  });

  test("as JSON", async () => {
    const emulator = await emulated(refusing("firewall"));
    const result = await cli(["doctor", "--json"], newcomer({ ...emulator.env }));
    expect(result.code).toBe(1);
    const { ok, checks, problem } = JSON.parse(result.stdout);
    expect(ok).toBe(false);
    expect(checks.map(({ status }: { status: string }) => status)).toEqual([
      ...["passed", "passed", "passed", "passed"],
      "failed",
      "skipped",
    ]);
    expect(problem).toMatchObject({
      code: "firewall",
      status: 403,
      said: "Access denied due to Virtual Network/Firewall rules.",
      fixes: [expect.stringContaining("network-rule add"), expect.any(String)],
    });
    expectClean(result);
  });

  test("an endpoint that is none stops before any request", async () => {
    const result = await cli(["doctor", "-e", "https://<my-resource>.openai.azure.com"]);
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/^✓ environment/m);
    expect(result.stdout).toMatch(/^✗ endpoint/m);
    expect(result.stdout).toMatch(/^- credential +not tried$/m);
    expect(result.stdout).toMatch(/^✗ endpoint\/placeholder {2}\S/m);
    expectClean(result);
  });

  test("an identity endpoint that refuses", async () => {
    const emulator = await emulated({ server: "identity", kind: "status", status: 400, times: Infinity });
    const result = await cli(["doctor"], newcomer({ ...emulator.env }));
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/^✗ token /m);
    expect(result.stdout).toMatch(/^✗ credential\/refused {2}\S/m);
    expect(emulator.counts.foundry).toBe(0);
    expectClean(result);
  });

  test("only the turn", async () => {
    // The request is answered, and what comes after it is not.
    const emulator = await emulated();
    let requests = 0;
    emulator.faults.add({
      server: "foundry",
      kind: "status",
      error: "content-filter",
      times: Infinity,
      match: () => {
        requests += 1;
        return requests > 1;
      },
    });
    const result = await cli(["doctor"], newcomer({ ...emulator.env }));
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/^✓ request/m);
    expect(result.stdout).toMatch(/^✗ turn/m);
    expect(result.stdout).toMatch(/^✗ model\/content-filter {2}\S/m);
    expectClean(result);
  });

  test("a request that hangs ends in its time", async () => {
    const emulator = await emulated({ server: "foundry", kind: "hang", times: Infinity });
    const result = await cli(["doctor", "--timeout", "300ms"], newcomer({ ...emulator.env }));
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/^✗ network {2}.*in time/m);
  });
});

test("Ctrl-C ends it, with 130", async () => {
  const emulator = await emulated({ server: "foundry", kind: "hang", times: Infinity });
  const child = spawn(process.execPath, [join(root, "dist/cli.js"), "doctor"], {
    env: newcomer({ ...emulator.env }),
  });
  let stdout = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    if (stdout.includes("✓ token")) setTimeout(() => child.kill("SIGINT"), 200);
  });
  const [code] = await once(child, "close");
  expect(code).toBe(130);
});

test("settings that look wrong are warned of, and are no failure", async () => {
  const emulator = await emulated();
  const env = newcomer({ ...emulator.env, AZURE_OPENAI_ENDPOINT: "https://other.openai.azure.com" });
  const result = await cli(["doctor"], env);
  expect(result.code).toBe(0);
  expect(result.stdout).toMatch(/^ {2}! FOUNDRY_RESOURCE_URL and AZURE_OPENAI_ENDPOINT.*\(env-conflict\)$/m);
  expect(result.stdout).toContain("All is well, but see the warnings.");
});
