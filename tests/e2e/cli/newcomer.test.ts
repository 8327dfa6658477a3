// A newcomer's mistakes: each is reported in a few lines with a hint, exit code 1, no stack, no
// token.

import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { newcomer, root, run } from "../../support/process.js";
import { cli, expectClean, expectTold } from "./support.js";

const ENDPOINT = "https://myres.openai.azure.com";

describe("the endpoint", () => {
  test("none, and no emulator", async () => {
    expectTold(await cli(["chat", "hello"]), "endpoint/empty", /FOUNDRY_RESOURCE_URL=/, /npm start/);
  });

  test("a typing error", async () => {
    expectTold(
      await cli(["chat", "-e", "https://myres.opnai.azure.com", "hello"]),
      "endpoint/host-lookalike",
      /spelling/,
    );
  });

  test("the placeholder of the guide", async () => {
    const env = newcomer({ FOUNDRY_RESOURCE_URL: "https://<my-resource>.openai.azure.com" });
    expectTold(await cli(["chat", "hello"], env), "endpoint/placeholder", /your own name/);
  });

  test("a wrong endpoint never falls back to the emulator", async () => {
    const env = newcomer({ FOUNDRY_RESOURCE_URL: "https://<my-resource>.openai.azure.com" });
    expectTold(await cli(["chat", "--demo", "hello"], env), "endpoint/placeholder");
  });
});

describe("the credential", () => {
  test("no az, no managed identity", async () => {
    const env = newcomer({ AZURE_TOKEN_CREDENTIALS: "dev" });
    expectTold(await cli(["token", "-e", ENDPOINT], env), "credential/unavailable", /az login/);
  });

  test("the same in a chat, reported once and at once", async () => {
    const env = newcomer({ AZURE_TOKEN_CREDENTIALS: "AzureCliCredential" });
    const result = await cli(["chat", "-e", ENDPOINT, "hello"], env);
    expectTold(result, "credential/unavailable", /az login/, /Azure CLI could not be found/);
  });

  test("--debug shows the causes, --json an object", async () => {
    const env = newcomer({ AZURE_TOKEN_CREDENTIALS: "AzureCliCredential" });
    const debug = await cli(["token", "-e", ENDPOINT, "--debug"], env);
    expect(debug.stderr).toContain("caused by CredentialUnavailableError");
    expectClean(debug);
    const json = await cli(["token", "-e", ENDPOINT, "--json"], env);
    expect(JSON.parse(json.stdout).error).toMatchObject({ code: "credential/unavailable", hint: /az login/ });
    expect(json.code).toBe(1);
  });

  test("a secret in the credential's own error is not shown", async () => {
    // An unknown tenant at an authority that does not exist: the credential's error quotes its
    // input.
    // input.
    const secret = "pl4nted~S3cret.value";
    const env = newcomer({
      AZURE_TOKEN_CREDENTIALS: "EnvironmentCredential",
      AZURE_TENANT_ID: "11111111-1111-1111-1111-111111111111",
      AZURE_CLIENT_ID: "22222222-2222-2222-2222-222222222222",
      AZURE_CLIENT_SECRET: secret,
      AZURE_AUTHORITY_HOST: "https://127.0.0.1:9",
    });
    const result = await cli(["token", "-e", ENDPOINT, "--debug"], env);
    expect(result.code).toBe(1);
    expect(result.stdout + result.stderr).not.toContain(secret);
    expectClean(result);
  });

  test("a value of AZURE_TOKEN_CREDENTIALS that is none", async () => {
    const env = newcomer({ AZURE_TOKEN_CREDENTIALS: "managed-identity" });
    for (const command of ["token", "config", "chat"]) {
      expectTold(
        await cli([command, "-e", ENDPOINT], env),
        "credential/configuration",
        /AZURE_TOKEN_CREDENTIALS is "managed-identity"; expected one of dev, prod, EnvironmentCredential/,
        /Did you mean ManagedIdentityCredential\?/,
      );
    }
  });

  test("a warning about the credential appears only when it matters", async () => {
    const env = newcomer({ AZURE_TOKEN_CREDENTIALS: "AzureCliCredential", AZURE_CLIENT_SECRET: "pl4nted" });
    const result = await cli(["token", "-e", ENDPOINT], env);
    expect(result.stderr).not.toContain("credential-unused");
  });
});

/** Creates a folder with the package and a fake Copilot SDK. */
function installedBeside(sdk: Record<string, string> | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-installed-"));
  const modules = join(folder, "node_modules");
  cpSync(join(root, "dist"), join(modules, "copilot-keyless/dist"), { recursive: true });
  cpSync(join(root, "package.json"), join(modules, "copilot-keyless/package.json"));
  symlinkSync(join(root, "node_modules/@azure"), join(modules, "@azure"));
  if (sdk) {
    const home = join(modules, "@github/copilot-sdk");
    mkdirSync(home, { recursive: true });
    for (const [file, text] of Object.entries(sdk)) writeFileSync(join(home, file), text);
  }
  return join(modules, "copilot-keyless/dist/cli.cjs");
}

describe("the Copilot SDK", () => {
  test("not installed", async () => {
    const program = installedBeside(undefined);
    const inProject = { env: newcomer(), cwd: join(program, "../../../..") };
    const result = await run(process.execPath, [program, "chat", "-e", ENDPOINT, "hello"], inProject);
    expectTold(result, "sdk/not-installed", /npm install @github\/copilot-sdk/);
    const placeholder = ["doctor", "-e", "https://<x>.openai.azure.com"];
    const doctor = await run(process.execPath, [program, ...placeholder], inProject);
    expect(doctor.stdout).toMatch(/^! environment .*@github\/copilot-sdk not installed/m);
    expect(doctor.stdout).toMatch(
      /^ {2}! @github\/copilot-sdk is not installed, and the turn needs it: npm install @github\/copilot-sdk \(not-installed\)$/m,
    );
  });

  test("too old", async () => {
    const program = installedBeside({
      "package.json": JSON.stringify({
        name: "@github/copilot-sdk",
        version: "1.0.4",
        type: "module",
        exports: "./index.js",
      }),
      "index.js": "throw new Error('an SDK that is too old must not even be loaded')",
    });
    const result = await run(process.execPath, [program, "chat", "-e", ENDPOINT, "hello"], {
      env: newcomer(),
    });
    expectTold(result, "sdk/too-old", /1\.0\.4/, /npm install @github\/copilot-sdk@\^1\.0\.13/);
  });

  test("a home folder that cannot be written to", async () => {
    const blocked = join(mkdtempSync(join(tmpdir(), "copilot-keyless-file-")), "file");
    writeFileSync(blocked, "");
    const result = await cli(["chat", "--demo", "hello"], newcomer({ HOME: join(blocked, "home") }));
    expectTold(result, "sdk/home-not-writable", /COPILOT_HOME/);
  });
});

describe("the prompt", () => {
  test("an empty one is reported, and nothing else is sent", async () => {
    for (const [args, input] of [
      [["chat", "--demo", "-"], "\n"],
      [["chat", "--demo", ""], ""],
    ] as const) {
      const result = await cli(args, newcomer(), input);
      expect(result.code).toBe(1);
      expect(result.stderr).toContain("(agent/empty-prompt)");
      expect(result.stdout).toBe("");
    }
  });
});

describe("the command line", () => {
  test("an unknown command and an unknown option", async () => {
    for (const args of [
      ["chatt"],
      ["chat", "--bogus"],
      ["emulator", "--port", "x"],
      ["emulator", "--token-lifetime", "0"],
    ]) {
      const result = await cli(args);
      expect(result.code).toBe(1);
      expect(result.stderr).toContain("--help");
      expectClean(result);
    }
  });

  test("help names every command and option", async () => {
    const help = await cli(["--help"]);
    expect(help.code).toBe(0);
    // It comes from a file. The command `help` writes it anew.
    for (const args of [[], ["-h"], ["help"]]) expect((await cli(args)).stdout).toBe(help.stdout);
    for (const command of ["chat", "token", "config", "simulate", "emulator"]) {
      expect(help.stdout).toContain(`  ${command} `);
      const own = await cli([command, "--help"]);
      expect(own.code).toBe(0);
      expect(own.stdout).toContain("--json");
    }
  });
});
