// The commands of the README, against the embedded emulator.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, describe, expect, test } from "vitest";
import { newcomer, root } from "../../support/process.js";
import { cli, expectClean } from "./support.js";

const emulator = await startEmulator();
afterAll(() => emulator.stop());

describe("chat", () => {
  test("answers once, streamed to stdout, with a summary on stderr", async () => {
    const result = await cli(["chat", "--demo", "Is this", "keyless?"]);
    expect(result.code).toBe(0);
    expect(result.stdout).toContain('"Is this keyless?"');
    expect(result.stderr).toMatch(/session +[\da-f-]{36}/);
    expect(result.stderr).toMatch(/turns +1\n/);
    expect(result.stderr).toMatch(/tokens +1 fetched/);
    expect(result.stderr).toMatch(/requests +1 served/);
    expect(result.stderr).toMatch(/first byte +\d+ ms/);
    expectClean(result);
  });

  test("without a prompt and without a terminal holds a short conversation", async () => {
    const result = await cli(["chat", "--demo"]);
    expect(result.code).toBe(0);
    expect(result.stdout.trim().split("\n")).toHaveLength(2);
    expect(result.stderr).toMatch(/turns +2\n/);
    expect(result.stderr).toMatch(/tokens +1 fetched/);
  });

  test("reads the prompt from standard input", async () => {
    const result = await cli(["chat", "--demo", "-"], newcomer(), "From a pipe\n");
    expect(result.code).toBe(0);
    expect(result.stdout).toContain("From a pipe");
  });

  test("the demo needs no proxy, and goes past one that leads nowhere", async () => {
    const dead = "http://127.0.0.1:9";
    const result = await cli(["chat", "--demo", "Hello"], newcomer({ HTTPS_PROXY: dead, HTTP_PROXY: dead }));
    expect(result.code).toBe(0);
    expect(result.stdout).toContain("Hello");
  });

  test("prints JSON, and nothing else, on stdout", async () => {
    const result = await cli(["chat", "--demo", "--json", "Hello"]);
    const { replies, ...summary } = JSON.parse(result.stdout);
    expect(replies).toEqual([expect.stringContaining("Hello")]);
    expect(summary).toMatchObject({ turns: 1, tokensFetched: 1, requestsServed: 1 });
    expect(summary.firstByteMs).toHaveLength(1);
  });

  test("uses the endpoint of the environment", async () => {
    const before = emulator.counts.foundry;
    const result = await cli(["chat", "Hello"], newcomer({ ...emulator.env }));
    expect(result.code).toBe(0);
    expect(result.stderr).toContain(emulator.foundry.url);
    expect(emulator.counts.foundry).toBe(before + 1);
  });

  test("fails when no reply came", async () => {
    emulator.faults.add({ server: "foundry", kind: "status", status: 404, times: 1 });
    const result = await cli(["chat", "Hello"], newcomer({ ...emulator.env }));
    emulator.faults.clear();
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("(model/wrong-path)");
    expect(result.stderr).toContain("HTTP 404");
    expectClean(result);
  });
});

describe("token", () => {
  test("says whose token it is and never prints it", async () => {
    const env = newcomer({ ...emulator.env });
    const result = await cli(["token"], env);
    expect(result.code).toBe(0);
    expect(result.stdout).toContain(emulator.identity.principalId);
    expect(result.stdout).toContain("https://ai.azure.com");
    expectClean(result);
    const json = await cli(["token", "--json"], env);
    expect(JSON.parse(json.stdout)).toMatchObject({
      scope: "https://ai.azure.com/.default",
      token: {
        format: "jwt",
        principal: "managed-identity",
        audience: "https://ai.azure.com",
        tenantId: emulator.identity.tenantId,
      },
    });
    expectClean(json);
  });
});

describe("the end of a command", () => {
  /** Reads the program's output late, or only its beginning. */
  async function readSlowly(args: string[], read: (child: ChildProcess) => Promise<string>) {
    const child = spawn(process.execPath, [join(root, "dist/cli.cjs"), ...args], { env: newcomer() });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const closed = once(child, "close");
    const stdout = await read(child);
    const [code] = await closed;
    return { code, stdout, stderr };
  }

  test("comes after the last byte, however slow the reader", async () => {
    const { code, stdout } = await readSlowly(["simulate", "--json", "--duration", "48h"], async (child) => {
      // Keep unread output, because Node drops it when the child ends.
      const kept = (child.stdout as NodeJS.ReadableStream).pipe(new PassThrough());
      await setTimeout(1_000);
      return text(kept);
    });
    expect(stdout.length).toBeGreaterThan(200_000);
    expect(JSON.parse(stdout).durationMs).toBe(48 * 3_600_000);
    expect(code).toBe(0);
  });

  test("is quiet when the reader has left", async () => {
    const { code, stderr } = await readSlowly(["simulate", "--json", "--duration", "48h"], async (child) => {
      child.stdout?.destroy();
      return "";
    });
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });
});

test("no colour but on a terminal, in CI neither", async () => {
  for (const args of [["config", "-e", "myres.openai.azure.com"], ["simulate"], ["chat"]]) {
    expectClean(await cli(args, newcomer({ CI: "true" })));
  }
});

describe("config", () => {
  test("shows the provider and where it comes from", async () => {
    const env = newcomer({
      AZURE_OPENAI_ENDPOINT: "https://myres.openai.azure.com",
      AZURE_OPENAI_DEPLOYMENT: "my-gpt",
    });
    const result = await cli(["config"], env);
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/base URL +https:\/\/myres\.openai\.azure\.com\/openai\/v1\//);
    expect(result.stdout).toContain("AZURE_OPENAI_ENDPOINT");
    expectClean(result);
    const json = JSON.parse((await cli(["config", "--json"], env)).stdout);
    expect(json.sources.endpoint).toBe("AZURE_OPENAI_ENDPOINT");
    expect(json.config.baseUrl).toBe("https://myres.openai.azure.com/openai/v1/");
  });

  test.each([
    ["typescript", "bearerTokenProvider: tokens,", 'baseUrl: "https://myres.openai.azure.com/openai/v1/",'],
    [
      "python",
      "bearer_token_provider=bearer_token,",
      'base_url="https://myres.openai.azure.com/openai/v1/",',
    ],
    ["csharp", "BearerTokenProvider = async _ =>", 'BaseUrl = "https://myres.openai.azure.com/openai/v1/",'],
    ["go", "BearerTokenProvider: bearerToken,", '"https://myres.openai.azure.com/openai/v1/",'],
    ["java", ".setBearerTokenProvider(args ->", '.setBaseUrl("https://myres.openai.azure.com/openai/v1/")'],
    ["rust", "foundry.attach(client.create_session(", '"https://myres.openai.azure.com/openai/v1/";'],
    ["env", "FOUNDRY_MODEL_NAME=gpt-5.5", "FOUNDRY_RESOURCE_URL=https://myres.openai.azure.com/openai/v1/"],
    ["role", "az role assignment create", "--assignee <object-id>"],
  ])("prints it as code: %s", async (format, ...parts) => {
    const result = await cli(["config", "-e", "myres.openai.azure.com", "--format", format]);
    expect(result.code).toBe(0);
    for (const part of parts) expect(result.stdout).toContain(part);
    expect(result.stdout).not.toContain("undefined");
  });

  test("prints only the provider of a program, and refuses that of no language", async () => {
    const args = ["config", "-e", "https://myres.openai.azure.com", "--snippet"];
    const { code, stdout } = await cli([...args, "--format", "python"]);
    expect(code).toBe(0);
    expect(stdout).toContain("provider = ProviderConfig(");
    expect(stdout).not.toContain("asyncio");
    for (const more of [[], ["--format", "role"]]) {
      const refused = await cli([...args, ...more]);
      expect(refused.stderr).toContain("--snippet needs --format with a language: typescript, ");
      expect(refused).toMatchObject({ code: 1, stdout: "" });
    }
  });

  test("shows the credential, which variable decided it, and what looks wrong about it", async () => {
    const env = newcomer({
      FOUNDRY_RESOURCE_URL: "https://myres.openai.azure.com",
      IDENTITY_ENDPOINT: "http://127.0.0.1:9/msi/token",
      IDENTITY_HEADER: "pl4nted-header",
      WEBSITE_SITE_NAME: "app",
      AZURE_CLIENT_ID: "22222222-2222-2222-2222-222222222222",
      AZURE_CLIENT_SECRET: "pl4nted~S3cret.value",
    });
    const result = await cli(["config"], env);
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(
      /^credential +managed identity \(user-assigned\), on App Service +from IDENTITY_ENDPOINT$/m,
    );
    expect(result.stdout).toMatch(/^client id +22222222-2222-2222-2222-222222222222 +from AZURE_CLIENT_ID$/m);
    expect(result.stderr).toContain("(service-principal-incomplete)");
    expect(result.stdout + result.stderr).not.toContain("pl4nted");
    expectClean(result);
    const { stdout } = await cli(["config", "--json"], env);
    expect(JSON.parse(stdout).credential).toMatchObject({
      kind: "managed-identity",
      source: "IDENTITY_ENDPOINT",
      host: "app-service",
      warnings: [{ code: "service-principal-incomplete" }],
    });
    expect(stdout).not.toContain("pl4nted");
  });

  test("shows the chain where nothing decides, and no credential where none is used", async () => {
    const chain = await cli(["config", "-e", "myres.openai.azure.com"]);
    expect(chain.stdout).toMatch(/^credential +DefaultAzureCredential, whole chain +default$/m);
    expect(chain.stderr).toContain("(credential-chain)");
    const local = await cli(["config", "-e", "http://localhost:5273"]);
    expect(local.stdout).toMatch(/^credential +none: the scope is unknown$/m);
    expectClean(chain);
  });
});

describe("emulator", () => {
  test("prints the environment, serves, and ends on SIGINT with a count", async () => {
    const args = [join(root, "dist/cli.cjs"), "emulator", "--json", "--token-lifetime", "30"];
    const child = spawn(process.execPath, args, { env: newcomer() });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const env = JSON.parse(line);
    expect(Object.keys(env)).toEqual(Object.keys(emulator.env));
    const result = await cli(["token", "--json"], newcomer(env));
    expect(result.code).toBe(0);
    child.kill("SIGINT");
    const [code] = await once(child, "close");
    expect(code).toBe(0);
    expect(stderr).toContain("1 token requests");
  });

  test("takes deployments, roles, quotas, faults and replies, and is controlled over HTTP", async () => {
    const args = [
      ["--deployment", "small", "--deployment", "large", "--role", "none"],
      ["--quota", "deployment=large,requestsPerMinute=0"],
      ["--fault", "server=foundry,kind=status,status=503,match.body=weather,times=always"],
      ["--reply", "Sunny.", "--reply", '{"text": "Rainy, cold.", "usage": {"inputTokens": 7}}'],
    ].flat();
    const child = spawn(process.execPath, [join(root, "dist/cli.cjs"), "emulator", "--json", ...args], {
      env: newcomer(),
    });
    const closed = once(child, "close");
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const env = JSON.parse(line) as Record<string, string>;
    const url = env.FOUNDRY_RESOURCE_URL as string;
    const control = (path: string, body: object) =>
      fetch(`${url}/_emulator/${path}`, { method: "POST", body: JSON.stringify(body) });
    const identity = `${env.IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=https://ai.azure.com`;
    const headers = { "x-identity-header": env.IDENTITY_HEADER as string };
    const token = (await (await fetch(identity, { headers })).json()) as { access_token: string };
    const ask = async (model: string, input: string) => {
      const response = await fetch(`${url}/openai/v1/responses`, {
        method: "POST",
        headers: { authorization: `Bearer ${token.access_token}` },
        body: JSON.stringify({ model, input }),
      });
      return `${response.status} ${await response.text()}`;
    };
    try {
      expect(env.FOUNDRY_MODEL_NAME).toBe("small");
      expect(await ask("small", "hello")).toMatch(/^401 .*PermissionDenied/);
      expect((await control("roles", { roles: ["Foundry User"] })).status).toBe(200);
      expect(await ask("small", "hello")).toMatch(/^200 .*Sunny\./);
      expect(await ask("small", "hello")).toMatch(/^200 .*Rainy, cold\..*"input_tokens":7/);
      expect(await ask("small", "the weather")).toMatch(/^503 /);
      expect(await ask("large", "hello")).toMatch(/^429 /);
      expect(await ask("gpt-5.5", "hello")).toMatch(/^404 .*DeploymentNotFound/);
    } finally {
      child.kill("SIGTERM");
    }
    expect((await closed)[0]).toBe(0);
  });

  test.each([
    [["--fault", "server=foundry,kind=explode"], "emulator/invalid-fault", "`kind` must be one of"],
    [["--fault", "explode"], "emulator/invalid-option", "--fault cannot be read"],
    [["--reply", "{}"], "emulator/invalid-reply", "`text` or `toolCalls` is missing"],
    [["--role", "King"], "emulator/invalid-option", "King"],
    [["--quota", "rpm=3"], "emulator/invalid-option", "no field `rpm`"],
  ])("refuses %s at once", async (args, code, message) => {
    const result = await cli(["emulator", ...args]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(code);
    expect(result.stderr).toContain(message);
  });
});
