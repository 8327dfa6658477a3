// Tests `copilot-keyless doctor` with the real @azure/identity, the real Copilot runtime and the
// emulator: a healthy setup, and what fails in it. doctor-codes.slow.test.ts has every diagnosis.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { Emulator } from "copilot-keyless/emulator";
import { describe, expect, test, vi } from "vitest";
import { newcomer, type Run, root } from "../../support/process.js";
import { cli, emulated, expectClean, refusing } from "./support.js";

const CHECKS = ["environment", "endpoint", "credential", "token", "request", "turn"];

describe("a healthy set-up", () => {
  test("one line per check with its time, and exit code 0", async () => {
    const emulator = await emulated();
    const result = await cli(["doctor"], newcomer({ ...emulator.env }));
    expect(result.stderr).toBe("");
    const lines = result.stdout.trim().split("\n");
    for (const [index, name] of CHECKS.entries())
      expect(lines[index]).toMatch(new RegExp(`^✓ ${name} +\\d+(ms|s)  \\S`));
    expect(lines.slice(CHECKS.length)).toEqual(["", "All checks passed."]);
    expect(result.code).toBe(0);
    expect(lines[0]).toMatch(/Node \d+.*@github\/copilot-sdk 1\.\d+\.\d+.*@azure\/identity 4\./);
    expect(lines[1]).toContain(`${emulator.foundry.url}/v1`);
    expect(lines[1]).toContain("from FOUNDRY_RESOURCE_URL");
    expect(lines[2]).toMatch(/managed identity.*AZURE_TOKEN_CREDENTIALS/);
    expect(lines[3]).toMatch(
      /managed-identity: id-emulator for https:\/\/ai\.azure\.com, expires in (1h|60m|59m); the direct credential agrees$/,
    );
    expect(lines[4]).toMatch(/gpt-5\.5 answered, HTTP 200/);
    expect(lines[5]).toMatch(/Copilot runtime replied: .*ready/);
    expectClean(result);
    // The request and the turn use the same token; the other is the direct credential's.
    expect(emulator.counts.identity).toBe(2);
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

describe("a diagnosis", () => {
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
    expect(result.stdout).toMatch(/^- credential +not run$/m);
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
    // The request succeeds, and later ones fail.
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

describe("Ctrl-C ends it, with 130", () => {
  /** Interrupts doctor as soon as the emulator receives a request. */
  async function interrupted(
    server: "identity" | "foundry",
    ...args: string[]
  ): Promise<Run & { ms: number }> {
    const emulator = await emulated({ server, kind: "hang", times: Infinity });
    const child = spawn(process.execPath, [join(root, "dist/cli.cjs"), "doctor", ...args], {
      env: newcomer({ ...emulator.env }),
    });
    const result: Run = { code: null, stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => {
      result.stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      result.stderr += chunk;
    });
    await vi.waitUntil(() => emulator.counts[server] > 0, { timeout: 20_000, interval: 20 });
    const sent = performance.now();
    child.kill("SIGINT");
    const [code] = await once(child, "close");
    return { ...result, code, ms: performance.now() - sent };
  }

  test.each(["identity", "foundry"] as const)("while the %s endpoint hangs", async (server) => {
    const { code, stdout, stderr, ms } = await interrupted(server);
    expect(code).toBe(130);
    expect(stderr).toBe("\nInterrupted.\n");
    expect(stdout).not.toContain("✗");
    // It waits neither for the token's 15 s nor for the request's 30.
    expect(ms).toBeLessThan(8_000);
  });

  test.each([
    ["identity", CHECKS.slice(0, 3)],
    ["foundry", CHECKS.slice(0, 4)],
  ] as const)("as JSON, with the checks until then (%s)", async (server, names) => {
    const { code, stdout, stderr } = await interrupted(server, "--json");
    expect(code).toBe(130);
    expect(stderr).toBe("\nInterrupted.\n");
    const { ok, interrupted: told, checks } = JSON.parse(stdout);
    expect([ok, told]).toEqual([false, true]);
    expect(checks.map(({ name }: { name: string }) => name)).toEqual(names);
  });
});

describe("behind a proxy that only the Copilot runtime uses", () => {
  /** A proxy that forwards every request to the emulator. */
  async function proxyTo(emulator: Emulator): Promise<{ url: string; hits: () => number; stop: () => void }> {
    let hits = 0;
    const server = createServer(async (request, response) => {
      hits += 1;
      const body = request.method === "POST" ? await buffer(request) : undefined;
      const answer = await fetch(new URL(new URL(request.url ?? "").pathname, emulator.foundry.url), {
        method: request.method ?? "GET",
        headers: {
          authorization: request.headers.authorization ?? "",
          "content-type": request.headers["content-type"] ?? "",
        },
        ...(body ? { body } : {}),
      });
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
      response.end(Buffer.from(await answer.arrayBuffer()));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}`, hits: () => hits, stop: () => server.close() };
  }

  /** The emulator's, because @azure/identity would also use the proxy. */
  const IDENTITY_HOST = "127.0.0.1";

  test("no answer to the request is no failure: the turn decides", async () => {
    const emulator = await emulated();
    const proxy = await proxyTo(emulator);
    // Port 9 does not respond; the runtime reaches it through the proxy.
    const env = {
      ...emulator.env,
      FOUNDRY_RESOURCE_URL: "http://localhost:9/openai/v1/",
      FOUNDRY_TOKEN_SCOPE: "https://ai.azure.com/.default",
      HTTP_PROXY: proxy.url,
    };
    const result = await cli(["doctor"], newcomer({ ...env, NO_PROXY: IDENTITY_HOST }));
    expect(result.stdout).toMatch(/^- request +no response without the proxy: \S/m);
    expect(result.stdout).toMatch(/^ {2}! HTTP_PROXY is set.*\(proxy-not-used\)$/m);
    expect(result.stdout).toMatch(/^✓ turn/m);
    expect(result.stdout).toContain("All checks passed, with warnings.");
    expect(result.code).toBe(0);
    expect(proxy.hits()).toBeGreaterThan(0);
    const exempt = await cli(["doctor"], newcomer({ ...env, NO_PROXY: `${IDENTITY_HOST},localhost` }));
    expect(exempt.stdout).toMatch(/^✗ request/m);
    expect(exempt.stdout).toMatch(/^✗ network/m);
    expect(exempt.stdout).not.toContain("proxy-not-used");
    proxy.stop();
  });
});

describe("each fault appears once, under its check", () => {
  const ENDPOINT = "https://myres.openai.azure.com";

  test("the credential's settings", async () => {
    const env = newcomer({ AZURE_TOKEN_CREDENTIALS: "managed-identity" });
    const { stdout, code } = await cli(["doctor", "-e", ENDPOINT], env);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^✓ endpoint .*myres\.openai\.azure\.com/m);
    expect(stdout).toMatch(/^✗ credential +\d+ms {2}credential\/configuration$/m);
    expect(stdout).toMatch(/^- token +not run$/m);
    expect(stdout.match(/AZURE_TOKEN_CREDENTIALS is "managed-identity"/g)).toHaveLength(1);
  });

  test("a scope that is none", async () => {
    const { stdout, code } = await cli(["doctor", "-e", ENDPOINT, "--scope", " "]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^✗ settings +\d+ms {2}provider\/[a-z-]+$/m);
    expect(stdout).not.toMatch(/^. endpoint/m);
    expect(stdout).toMatch(/^- credential +not run$/m);
    expect(stdout).toMatch(/^✗ provider\/[a-z-]+ {2}\S/m);
  });

  test("the endpoint, and its whole text once", async () => {
    const { stdout } = await cli(["doctor", "-e", "https://<my-resource>.openai.azure.com"]);
    expect(stdout).toMatch(/^✗ endpoint +\d+ms {2}endpoint\/placeholder$/m);
  });
});

test("the answer of a host that is not Azure's is not called Azure's, and how long to wait is told", async () => {
  const emulator = await emulated({
    server: "foundry",
    kind: "status",
    error: "rate-limited",
    headers: { "retry-after": "60" },
    times: Infinity,
  });
  const { stdout } = await cli(["doctor"], newcomer({ ...emulator.env }));
  expect(stdout).toMatch(/^ {2}Response, HTTP 429: \S/m);
  expect(stdout).not.toContain("Azure's response");
  expect(stdout).toMatch(/^ {2}retry after 60s$/m);
});

test("no token is sent: skipped, with what to do about it", async () => {
  const emulator = await emulated();
  const { FOUNDRY_TOKEN_SCOPE: _, ...env } = emulator.env as Record<string, string>;
  const { stdout } = await cli(["doctor"], newcomer(env));
  expect(stdout).toMatch(
    /^- token +no token: the scope of this host is unknown; set FOUNDRY_TOKEN_SCOPE or --scope if it needs one$/m,
  );
});

test("a timeout that no timer can wait", async () => {
  for (const timeout of ["40d", "0ms"]) {
    const result = await cli(["doctor", "-e", "https://myres.openai.azure.com", "--timeout", timeout]);
    expect(result.code).toBe(1);
    expect(result.stdout).toBe("");
    expect(result.stderr).toContain("2147483647ms");
    expect(result.stderr).toContain("--help");
  }
});

test("settings that look wrong are warned of, and are no failure", async () => {
  const emulator = await emulated();
  const env = newcomer({ ...emulator.env, AZURE_OPENAI_ENDPOINT: "https://other.openai.azure.com" });
  const result = await cli(["doctor"], env);
  expect(result.code).toBe(0);
  expect(result.stdout).toMatch(/^ {2}! FOUNDRY_RESOURCE_URL and AZURE_OPENAI_ENDPOINT.*\(env-conflict\)$/m);
  expect(result.stdout).toMatch(/^! endpoint/m);
  expect(result.stdout).toContain("All checks passed, with warnings.");
});
