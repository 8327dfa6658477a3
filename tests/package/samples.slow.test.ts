// Compiles every TypeScript and JavaScript sample of the README and docs/ against the packed
// package, and runs it with the emulator. Runs every shell command of the README and the guides, or
// states here why it cannot run.
//
// A comment on the line above a sample states its expected result: `<!-- sample: prints Hello!
// -->`.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { transpile } from "@bytecodealliance/jco-transpile";
import { startEmulator } from "copilot-keyless/emulator";
import { describe, expect, test } from "vitest";
import { ask, startApp } from "../e2e/functions/support.js";
import { installLocked } from "../support/install-locked.js";
import { newcomer, root, run } from "../support/process.js";
import { startKeyFront } from "./key-front.js";
import { installed, linkPackages } from "./support.js";

interface Sample {
  /** The page and the line, such as `docs-guides-edge-12`. */
  name: string;
  language: string;
  code: string;
  /** The comment above it; empty if there is none. */
  expected: string;
}

const PAGES = [
  "README.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => `docs/${path.replaceAll("\\", "/")}`)
    .sort(),
];

/** Pages with shell commands for users. Commands of other pages measure, some for hours. */
const FOR_USERS = /^README\.md$|^docs\/guides\/|^docs\/reference\/(cli|runtimes)\.md$/;

function samplesOf(page: string): Sample[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/(?:^<!-- sample: ([^\n]*) -->\n)?^```(\w+)\n(.*?)^```$/gms)].map((found) => {
    const [whole, expected = "", language = "", code = ""] = found;
    const line = text.slice(0, found.index + whole.indexOf("```")).split("\n").length;
    return { name: `${page.replace(/\.md$/, "").replaceAll("/", "-")}-${line}`, language, code, expected };
  });
}

const all = PAGES.flatMap((page) => samplesOf(page).map((sample) => ({ ...sample, page })));
const samples = all.filter(({ language }) => ["ts", "js"].includes(language));

/** The allowed expectations in comments. */
const KINDS = /^(?:(?:with a key, )?prints .+|functions|edge|gateway|vitest|types only: .+|)$/;

const folder = installed();
linkPackages(folder, [
  "@azure",
  "@github",
  "@hono",
  "@types",
  "@typespec",
  "express",
  "fastify",
  "hono",
  "openai",
  "typescript",
  "undici-types",
  "vitest",
  "zod",
]);
const libraries = join(root, "tests/package/libraries");
installLocked(libraries, "Installing LangChain, Vercel's AI SDK and OpenTelemetry's, once");
linkPackages(folder, ["@ai-sdk", "@langchain", "@opentelemetry", "ai"], libraries);

// The output of `npx @bytecodealliance/jco transpile`, for the sample that imports it.
const { files: component } = await transpile(join(root, "dist/component.wasm"), { name: "component" });
for (const [name, bytes] of Object.entries(component)) {
  for (const place of ["samples/keyless", "built/keyless"]) {
    mkdirSync(dirname(join(folder, place, name)), { recursive: true });
    writeFileSync(join(folder, place, name), bytes);
  }
}

test("every comment above a sample is one that is known, and stands above one", () => {
  for (const { name, expected } of all) expect(expected, name).toMatch(KINDS);
  const comments = PAGES.flatMap((page) => [
    ...readFileSync(join(root, page), "utf8").matchAll(/<!-- sample: /g),
  ]);
  expect(all.filter(({ expected }) => expected !== "").length).toBe(comments.length);
});

test.each(["nodenext", "bundler"])(
  "every sample compiles under tsc --strict, module resolution %s",
  async (resolution) => {
    mkdirSync(join(folder, "samples"), { recursive: true });
    for (const { name, language, code } of samples)
      writeFileSync(join(folder, `samples/${name}.${language}`), `${code}\nexport {};\n`);
    const args = ["node_modules/typescript/bin/tsc", "--strict", "--exactOptionalPropertyTypes"];
    args.push("--target", "es2022", "--lib", "es2023,esnext.disposable,dom", "--types", "node");
    args.push("--outDir", "built", "--rootDir", "samples", "--skipLibCheck", "--allowJs", "--checkJs");
    args.push("--module", resolution === "bundler" ? "esnext" : "nodenext", "--moduleResolution", resolution);
    const files = samples.map(({ name, language }) => `samples/${name}.${language}`);
    const result = await run(process.execPath, [...args, ...files], { env: newcomer(), cwd: folder });
    expect(result.stdout).toBe("");
    expect(result.code).toBe(0);
  },
);

/** Starts an emulator for one sample. Returns it with an environment that leads to it. */
async function azure() {
  const emulator = await startEmulator({ chunkDelayMs: 0 });
  const env = newcomer({
    ...emulator.env,
    TEAM_RESOURCE_URL: emulator.env.FOUNDRY_RESOURCE_URL,
    AZURE_OPENAI_ENDPOINT: emulator.foundry.url, // as the libraries expect it, without a path
  });
  return { emulator, env };
}

const of = (kind: RegExp) => samples.filter(({ expected }) => kind.test(expected));

test.each(of(/^functions$/))("$name runs in a Functions host", async ({ name }) => {
  const { emulator, env } = await azure();
  const manifest = join(folder, "package.json");
  const own = readFileSync(manifest, "utf8");
  try {
    writeFileSync(manifest, JSON.stringify({ ...JSON.parse(own), main: `built/${name}.js` }));
    writeFileSync(join(folder, "host.json"), JSON.stringify({ version: "2.0" }));
    const app = await startApp(folder, env);
    const response = await ask(app, { prompt: "Hello from the docs" });
    expect(await response.json()).toMatchObject({ reply: expect.stringContaining("Hello from the docs") });
    expect((await fetch(`${app.url}/api/health`)).status).toBe(200);
    expect(await app.stop()).toBe(0);
  } finally {
    writeFileSync(manifest, own);
    await emulator.stop();
  }
});

test.each(of(/^edge$/))("$name answers its user, and nobody else", async ({ name }) => {
  const { emulator, env } = await azure();
  const program = `
    import worker from "./built/${name}.js";
    const ask = (authorization) => worker.fetch(new Request("http://x/", {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({ prompt: "Hello from the docs" }),
    }), process.env);
    const [good, bad] = [await ask("Bearer the-key-of-ann"), await ask("Bearer another")];
    console.log(good.status, (await good.json()).reply, bad.status);`;
  const args = ["--input-type=module", "-e", program];
  const result = await run(process.execPath, args, { env, cwd: folder });
  await emulator.stop();
  expect(result.stdout).toMatch(/^200 .*Hello from the docs.* 401\n$/);
});

test.each(of(/^gateway$/))("$name passes a request with its key on, and no other", async ({ name }) => {
  const { emulator, env } = await azure();
  const program = `
    import worker from "./built/${name}.js";
    const ask = (key) => worker.fetch(new Request("http://x/openai/v1/responses", {
      method: "POST",
      headers: { authorization: "Bearer " + key, "content-type": "application/json" },
      body: JSON.stringify({ model: "gpt-5.5", input: "Hello from the docs" }),
    }), process.env);
    const [good, bad] = [await ask(process.env.GATEWAY_KEY), await ask("another-key-of-16")];
    console.log(good.status, await good.text(), bad.status);`;
  const args = ["--input-type=module", "-e", program];
  const result = await run(process.execPath, args, {
    env: { ...env, GATEWAY_KEY: "key-of-the-samples" },
    cwd: folder,
  });
  await emulator.stop();
  expect(result.stdout).toMatch(/^200 .*Hello from the docs.* 401\n$/s);
});

test.each(of(/^vitest$/))("$name passes in vitest", async ({ name }) => {
  const file = `vitest/${name}.test.js`;
  mkdirSync(join(folder, "vitest"), { recursive: true });
  writeFileSync(join(folder, file), readFileSync(join(folder, `built/${name}.js`)));
  const args = ["node_modules/vitest/vitest.mjs", "run", "--root", ".", file];
  const result = await run(process.execPath, args, { env: newcomer({ NO_COLOR: "1" }), cwd: folder });
  expect(result.stdout).toMatch(/Tests {2}3 passed \(3\)/);
  expect(result.code).toBe(0);
});

describe("programs", { concurrent: true }, () => {
  test.each(of(/^(prints .*)?$/))("$name runs", async ({ name, expected }) => {
    const { emulator, env } = await azure();
    const args = ["--unhandled-rejections=strict", `built/${name}.js`];
    const result = await run(process.execPath, args, { env, cwd: folder });
    await emulator.stop();
    expect(result.stderr).toBe("");
    expect(result.code).toBe(0);
    if (expected) expect(result.stdout).toContain(expected.slice("prints ".length));
    // One acquisition, whatever the sample does with the token; none if it needs no token.
    expect(emulator.counts.identity).toBeLessThanOrEqual(1);
    expect(emulator.counts.unauthorized).toBe(0);
  });
});

test.each(of(/^with a key, /))(
  "$name runs with a key, and no other credential",
  async ({ name, expected }) => {
    const { emulator } = await azure();
    const front = await startKeyFront(emulator);
    const result = await run(process.execPath, [`built/${name}.js`], {
      env: newcomer(front.env),
      cwd: folder,
    });
    await front.stop();
    await emulator.stop();
    expect(result.stderr).toBe("");
    expect(result.code).toBe(0);
    expect(result.stdout).toContain(expected.slice("with a key, prints ".length));
    expect(emulator.counts).toMatchObject({ foundry: 1, unauthorized: 0 });
  },
);

test.each(of(/^prints/).filter(({ code }) => /azureADTokenProvider: create/.test(code)))(
  "$name fails while a key is left in the environment, as the guide says",
  async ({ name }) => {
    const { emulator, env } = await azure();
    const program = { env: { ...env, AZURE_OPENAI_API_KEY: "left" }, cwd: folder };
    const result = await run(process.execPath, [`built/${name}.js`], program);
    await emulator.stop();
    expect(result.stderr).toContain(
      "The `apiKey` and `azureADTokenProvider` arguments are mutually exclusive",
    );
  },
);

/** How to run a command here; `skip` is the reason why it cannot run in a test. */
type Expected = { skip: string } | { says: RegExp; code?: number };

const INSTALLED = { skip: "installed above, from the packed file" };
const SERVES = { skip: "serves until it is ended; a suite of its own runs it" };

const PYTHON = { skip: "examples/python/tests/test_guide.py runs it" };

const RUST = { skip: "tests/e2e/cli/programs.slow.test.ts and crates/tokio/tests run the same" };

const COMMANDS: Record<string, Expected> = {
  "npm start": { says: /turns +2/ },
  "npm test": { skip: "this very run" },
  'npm start -- "Why is the sky blue?"': { says: /Why is the sky blue\?[\s\S]*turns +1/ },
  "FOUNDRY_RESOURCE_URL=https://<your-resource>.openai.azure.com npm start": {
    says: /endpoint\/placeholder/,
    code: 1,
  },
  "npm install copilot-keyless": INSTALLED,
  "npm install copilot-keyless @github/copilot-sdk @azure/identity": INSTALLED,
  "npm install copilot-keyless @github/copilot-sdk @azure/identity @azure/functions": INSTALLED,
  "npm run www": SERVES,
  "npm run functions": SERVES,
  "FOUNDRY_PROJECT_ENDPOINT=https://<resource>.services.ai.azure.com/api/projects/<project> AZURE_AI_MODEL_DEPLOYMENT_NAME=gpt-5.5 node server.mjs":
    SERVES,
  "curl -N localhost:8088/invocations -H 'content-type: application/json' -d '{\"input\":\"Hello\"}'": {
    skip: "tests/e2e/hosted-agent",
  },
  "npx copilot-keyless emulator": SERVES,
  "npx copilot-keyless emulator --role none": SERVES,
  'npx copilot-keyless emulator --quota deployment=gpt-5.5,requestsPerMinute=3 --reply "Sunny."': SERVES,
  "npx copilot-keyless emulator --fault server=foundry,kind=status,status=503,match.body=weather": SERVES,
  "npx copilot-keyless gateway": SERVES,
  "npx copilot-keyless gateway --config gateway.toml": SERVES,
  "npx copilot-keyless gateway --check --config gateway.toml": {
    skip: "tests/e2e/gateway/config.slow.test.ts",
  },
  'OTEL_SERVICE_NAME=gateway OTEL_METRICS_EXPORTER=otlp   NODE_OPTIONS="--import ./otel.mjs" npx copilot-keyless gateway':
    SERVES,
  "npm install @opentelemetry/api @opentelemetry/sdk-node": { skip: "tests/package/libraries" },
  "npx copilot-keyless gateway --port 4141 --key-file ~/.copilot-keyless-key": SERVES,
  'npx copilot-keyless run --demo -- copilot -p "hello"': {
    skip: "tests/e2e/gateway/works-with.slow.test.ts",
  },
  "npx copilot-keyless run -- copilot": { skip: "needs Azure" },
  "npx copilot-keyless credential": { says: /endpoint\/empty/, code: 1 },
  "npm test runtimes": { skip: "tests/runtimes" },
  "az login": { skip: "needs Azure" },
  "npx copilot-keyless chat --demo": { says: /turns +2/ },
  'npx copilot-keyless chat --demo "Hello"': { says: /Hello[\s\S]*turns +1/ },
  "npx copilot-keyless doctor": { says: /✗ endpoint\/empty {2}No endpoint was given/, code: 1 },
  "npx copilot-keyless doctor --json": { says: /"code": ?"endpoint\/empty"/, code: 1 },
  "npx copilot-keyless token": { says: /endpoint\/empty/, code: 1 },
  "npx copilot-keyless config": { says: /endpoint\/empty/, code: 1 },
  "npx copilot-keyless config --endpoint myres.openai.azure.com": {
    says: /https:\/\/myres\.openai\.azure\.com\/openai\/v1\//,
  },
  "npx copilot-keyless config --endpoint myres.openai.azure.com --format python": {
    says: /myres\.openai\.azure\.com/,
  },
  "npx copilot-keyless config --endpoint myres.openai.azure.com --format go": { says: /^package main$/m },
  "npx copilot-keyless config --endpoint myres.openai.azure.com --format rust --snippet": {
    says: /^fn foundry\(\)/m,
  },
  "cargo new app": RUST,
  "cd app": RUST,
  "cargo add copilot-keyless-tokio reqwest tokio --features tokio/full,reqwest/json": RUST,
  "cargo run": RUST,
  "cargo new chat": RUST,
  "cd chat": RUST,
  "cargo add github-copilot-sdk --no-default-features --features runtime": RUST,
  "cargo add copilot-keyless-tokio tokio --features copilot-keyless-tokio/copilot,tokio/full": RUST,
  'cargo run -- "Say hello." "And again."': RUST,
  "python3 -m venv .venv": PYTHON,
  ". .venv/bin/activate": PYTHON,
  "pip install github-copilot-sdk azure-identity aiohttp": PYTHON,
  "npx copilot-keyless config --format python > app.py": PYTHON,
  "python app.py": PYTHON,
  "export AZURE_TOKEN_CREDENTIALS=dev": PYTHON,
  "npx copilot-keyless config --endpoint myres.openai.azure.com --model gpt-5.5 --format python > app.py":
    PYTHON,
  "npm run tool component": PYTHON,
  "pip install -e examples/python": PYTHON,
  "npx copilot-keyless config --endpoint myres.openai.azure.com --format role": {
    says: /az role assignment create/,
  },
  "npx copilot-keyless simulate --outage 50m-70m": { says: /calls +120: / },
  "npx copilot-keyless simulate --outage 50m-70m --strategy fixed-window": { says: /calls +120: / },
  "npx copilot-keyless --help": { says: /Usage: copilot-keyless/ },
};

const commands = new Set(
  all
    .filter(({ language, page }) => language === "sh" && FOR_USERS.test(page))
    .flatMap(({ code }) => code.replaceAll("\\\n", "").trim().split("\n"))
    .map((line) => line.replace(/ +#.*$/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("#")),
);

test("every command of the docs is known here", () => {
  expect([...commands].toSorted()).toEqual(Object.keys(COMMANDS).toSorted());
});

const runnable = [...commands].filter((command) => !("skip" in (COMMANDS[command] ?? { skip: "" })));

test.each(runnable)("%s", async (command) => {
  const expected = COMMANDS[command] as { says: RegExp; code?: number };
  const own = command.startsWith("npx ");
  // Everything in the repository is built by now, so a start is fast. It needs the toolchain's own
  // PATH and home.
  const env = own
    ? newcomer({ PATH: `${join(folder, "node_modules/.bin")}:${process.env.PATH}` })
    : { ...(process.env as Record<string, string>), COPILOT_HOME: join(folder, "home") };
  const shell = own ? command.slice("npx ".length) : command.replace("<your-resource>", "'<your-resource>'");
  const result = await run("sh", ["-c", shell], { env, cwd: own ? folder : root });
  expect(result.stdout + result.stderr).toMatch(expected.says);
  expect(result.code).toBe(expected.code ?? 0);
});
