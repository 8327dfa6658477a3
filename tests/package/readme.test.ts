// The README's code is compiled under tsc --strict and run, its commands are run: they cannot rot.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, expect, test } from "vitest";
import { ask, startApp } from "../e2e/functions/support.js";
import { newcomer, root, run } from "../support/process.js";
import { installed, linkPackages } from "./support.js";

const readme = readFileSync(join(root, "README.md"), "utf8");

function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(
    ([, code]) => code as string,
  );
}

const folder = installed();
linkPackages(folder, ["@azure", "@github", "@types", "typescript", "undici-types"]);
const emulator = await startEmulator({ chunkDelayMs: 0 });
afterAll(() => emulator.stop());
const azure = newcomer({ ...emulator.env, TEAM_RESOURCE_URL: emulator.env.FOUNDRY_RESOURCE_URL });

const samples = blocks("ts").map((code, index) => ({ name: `sample-${index + 1}`, code }));

test.each(["nodenext", "bundler"])(
  "every sample compiles under tsc --strict, module resolution %s",
  async (resolution) => {
    mkdirSync(join(folder, "samples"), { recursive: true });
    for (const { name, code } of samples) writeFileSync(join(folder, `samples/${name}.ts`), code);
    const args = [
      "node_modules/typescript/bin/tsc",
      "--strict",
      "--exactOptionalPropertyTypes",
      "--target",
      "es2022",
    ];
    args.push(
      "--lib",
      "es2023,esnext.disposable,dom",
      "--types",
      "node",
      "--outDir",
      "built",
      "--skipLibCheck",
    );
    args.push("--module", resolution === "bundler" ? "esnext" : "nodenext", "--moduleResolution", resolution);
    const result = await run(
      process.execPath,
      [...args, ...samples.map(({ name }) => `samples/${name}.ts`)],
      { env: azure, cwd: folder },
    );
    expect(result.stdout).toBe("");
    expect(result.code).toBe(0);
  },
);

const inFunctions = samples.filter(({ code }) => code.includes("createChatHandler"));

test.each(inFunctions)("$name runs in a Functions host", async ({ name }) => {
  const own = readFileSync(join(folder, "package.json"), "utf8");
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ ...JSON.parse(own), main: `built/${name}.js` }),
  );
  writeFileSync(join(folder, "host.json"), JSON.stringify({ version: "2.0" }));
  const app = await startApp(folder, azure);
  const response = await ask(app, { prompt: "Hello from the README" });
  expect(await response.json()).toMatchObject({ reply: expect.stringContaining("Hello from the README") });
  expect((await fetch(`${app.url}/api/health`)).status).toBe(200);
  expect(await app.stop()).toBe(0);
  writeFileSync(join(folder, "package.json"), own);
});

const atTheEdge = samples.filter(({ code }) => code.includes("createEdgeChatHandler"));

test.each(atTheEdge)("$name answers its user, and nobody else", async ({ name }) => {
  const program = `
    import worker from "./built/${name}.js";
    const ask = (authorization) => worker.fetch(new Request("http://x/", {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({ prompt: "Hello from the README" }),
    }));
    const [good, bad] = [await ask("Bearer the-key-of-ann"), await ask("Bearer another")];
    console.log(good.status, (await good.json()).reply, bad.status);`;
  const result = await run(process.execPath, ["--input-type=module", "-e", program], {
    env: azure,
    cwd: folder,
  });
  expect(result.stdout).toMatch(/^200 .*Hello from the README.* 401\n$/);
});

const elsewhere = [...inFunctions, ...atTheEdge];

test.each(samples.filter((sample) => !elsewhere.includes(sample)))("$name runs", async ({ name, code }) => {
  const before = { ...emulator.counts };
  const result = await run(process.execPath, ["--unhandled-rejections=strict", `built/${name}.js`], {
    env: azure,
    cwd: folder,
  });
  expect(result.stderr).toBe("");
  expect(result.code).toBe(0);
  if (code.includes("ManagedIdentityCopilotAgent"))
    expect(result.stdout).toContain("Explain managed identities");
  if (code.includes('"direct"')) expect(result.stdout.trim()).toBe("https://ai.azure.com");
  else if (code.includes("createFoundryProvider")) expect(result.stdout).toContain("Hello!");
  if (code.includes("createBearerTokenProvider")) expect(result.stdout).toContain("true fresh");
  if (code.includes("probe(")) expect(result.stdout).toMatch(/^ok /);
  if (code.includes("startEmulator")) expect(result.stdout.trim()).toBe("0 0");
  else expect(emulator.counts.identity).toBe(before.identity + 1);
  expect(emulator.counts.unauthorized).toBe(before.unauthorized);
});

/** What each command of the README does here; `skip` gives the reason where it cannot run inside a test. */
const COMMANDS: Record<string, { skip: string } | { says: RegExp; code?: number }> = {
  "npm start": { says: /turns +2/ },
  "npm test": { skip: "this very run" },
  'npm start -- "Why is the sky blue?"': { says: /Why is the sky blue\?[\s\S]*turns +1/ },
  "FOUNDRY_RESOURCE_URL=https://<your-resource>.openai.azure.com npm start": {
    says: /endpoint\/placeholder/,
    code: 1,
  },
  "npm install copilot-keyless @github/copilot-sdk @azure/identity": {
    skip: "installed above, from the packed file",
  },
  "npm run www": { skip: "it serves until it is ended; tests/browser runs it" },
  'npx copilot-keyless chat --demo "Hello"': { says: /Hello[\s\S]*turns +1/ },
  "npx copilot-keyless doctor": { says: /✗ endpoint\/empty {2}No endpoint was given/, code: 1 },
  "npx copilot-keyless config --endpoint myres.openai.azure.com": {
    says: /https:\/\/myres\.openai\.azure\.com\/openai\/v1\//,
  },
  "npx copilot-keyless simulate --outage 50m-70m": { says: /calls +120: / },
  "npx copilot-keyless --help": { says: /Usage: copilot-keyless/ },
};

const commands = blocks("sh").flatMap((block) => block.trim().split("\n"));

test("every command of the README is known here", () => {
  expect(commands.toSorted()).toEqual(Object.keys(COMMANDS).toSorted());
});

test.each(commands.filter((command) => !("skip" in (COMMANDS[command] ?? {}))))("%s", async (command) => {
  const expected = COMMANDS[command] as { says: RegExp; code?: number };
  const own = command.startsWith("npx ");
  // In the repository everything is built by now, so a start is quick; the toolchain's own PATH and home are needed.
  const env = own
    ? newcomer({ PATH: `${join(folder, "node_modules/.bin")}:${process.env.PATH}` })
    : { ...(process.env as Record<string, string>), COPILOT_HOME: join(folder, "home") };
  const shell = own ? command.slice("npx ".length) : command.replace("<your-resource>", "'<your-resource>'");
  const result = await run("sh", ["-c", shell], { env, cwd: own ? folder : root });
  expect(result.stdout + result.stderr).toMatch(expected.says);
  expect(result.code).toBe(expected.code ?? 0);
});
