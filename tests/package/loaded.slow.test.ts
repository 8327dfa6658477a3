// Tests which WebAssembly modules a program has compiled, with the publishable build in a process of
// its own.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newcomer, run } from "../support/process.js";
import "./release.js";
import { installed, linkPackages } from "./support.js";

const folder = installed();
linkPackages(folder, ["@azure", "@github"]);

/** Notes the name of each module that is instantiated; `refuse` keeps others from compiling. */
const HOOKS = `
  export const loaded = [];
  export const refuse = new Set();
  const { Instance } = WebAssembly;
  WebAssembly.Instance = function (module, imports) {
    const [name] = /\\w+(?=_bg)/.exec(Object.keys(imports)[0]);
    if (refuse.has(name)) throw new WebAssembly.CompileError("refused by a policy");
    loaded.push(name);
    return new Instance(module, imports);
  };`;

/** Runs a program that has an emulator, and prints what it got as JSON. */
async function result(program: string): Promise<unknown> {
  writeFileSync(join(folder, "hooks.mjs"), HOOKS);
  writeFileSync(
    join(folder, "program.mjs"),
    `import { loaded, refuse } from "./hooks.mjs";
    import { startEmulator } from "copilot-keyless/emulator";
    import { createBearerTokenProvider, createFoundryProvider, FoundryAgent, isKeylessError, parseTokenResponse } from "copilot-keyless";
    const emulator = await startEmulator({ chunkDelayMs: 0, platformCache: false });
    Object.assign(process.env, emulator.env);
    const seen = {};
    const note = (when) => { seen[when] = [...loaded].sort(); };
    const told = ({ code, message, hint }) => ({ code, message, hint });
    ${program}
    await emulator.stop();
    console.log(JSON.stringify(seen));`,
  );
  const { code, stdout, stderr } = await run(process.execPath, ["program.mjs"], {
    env: newcomer(),
    cwd: folder,
  });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

test("1,000 turns and a refresh compile core and plan alone; the first failure adds explain", {
  timeout: 600_000,
}, async () => {
  const seen = await result(`
    note("import");
    const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = emulator.env;
    // The caches of @azure/identity would return the first token again.
    const credential = { getToken: async (scope) => {
      const requestedAt = Date.now();
      const url = IDENTITY_ENDPOINT + "?api-version=2019-08-01&resource=" + encodeURIComponent(String(scope).replace("/.default", ""));
      const answer = await fetch(url, { headers: { "x-identity-header": IDENTITY_HEADER } });
      return parseTokenResponse(await answer.text(), { requestedAt });
    } };
    seen.refreshed = 0;
    const onEvent = ({ type }) => { if (type === "refresh-succeeded") seen.refreshed += 1; };
    const agent = new FoundryAgent({ credential, tokens: { onEvent }, session: { availableTools: [] } });
    note("agent");
    await agent.provider.tokens();
    note("token");
    let turns = 0;
    await Promise.all(Array.from({ length: 4 }, async () => {
      while (turns < 1000) {
        turns += 1;
        const conversation = agent.conversation();
        await conversation.chat("Hello");
        await conversation.close();
      }
    }));
    await agent.provider.tokens.refresh();
    await agent.chat("Hello again");
    note("turns");
    emulator.faults.add({ server: "foundry", kind: "status", status: 404 });
    seen.error = await agent.chat("Fail").catch(told);
    note("failure");
    await agent.close();`);
  expect(seen).toEqual({
    import: [],
    agent: ["core", "plan"],
    token: ["core", "plan"],
    turns: ["core", "plan"],
    refreshed: 2,
    error: expect.objectContaining({ code: expect.stringMatching(/^model\//), hint: expect.any(String) }),
    failure: ["core", "explain", "plan"],
  });
});

test("on Node an endpoint without TLS needs no further module, and a token provider has the core alone", async () => {
  const seen = await result(`
    const foundry = createFoundryProvider({ credential: "direct" });
    note("provider");
    await foundry.tokens();
    await foundry.tokens.refresh();
    note("token");
    emulator.faults.add({ server: "identity", kind: "status", status: 400, times: 9 });
    seen.error = await foundry.tokens.refresh().catch(({ code }) => code);
    note("failure");
    foundry.close();`);
  expect(seen).toEqual({
    provider: ["core", "plan"],
    token: ["core", "plan"],
    error: "credential/refused",
    failure: ["core", "explain", "plan"],
  });
  const own = await result(`
    const expiresOnTimestamp = Date.now() + 3_600_000;
    const tokens = createBearerTokenProvider({ getToken: async () => ({ token: "t", expiresOnTimestamp }) }, "s/.default");
    await tokens();
    note("token");
    tokens.close();`);
  expect(own).toEqual({ token: ["core"] });
});

test("a wrong option compiles explain, which has the texts of its error", async () => {
  const program = `
    const wrong = "http://myres.openai.azure.com";
    try { createFoundryProvider({ endpoint: wrong }); } catch (error) { seen.error = told(error); }
    note("end");`;
  expect(await result(program)).toEqual({
    error: {
      code: "endpoint/insecure-http",
      message:
        "The endpoint is http://myres.openai.azure.com; a token must not travel unencrypted. Expected https://.",
      hint: "Write https://myres.openai.azure.com.",
    },
    end: ["explain", "plan"],
  });
  expect(await result(`refuse.add("explain"); ${program}`)).toEqual({
    error: {
      code: "endpoint/insecure-http",
      message: "The options cannot be used, and the module that says why could not be loaded",
      hint: expect.stringContaining("WebAssembly"),
    },
    end: ["plan"],
  });
});

test("where explain does not compile, callers get clear errors all the same", async () => {
  const seen = await result(`
    refuse.add("explain");
    const { diagnose } = await import("copilot-keyless/core");
    const { streamChat } = await import("copilot-keyless/direct");
    try { diagnose({ status: 401 }); } catch (error) { seen.diagnose = told(error); }
    const failing = { getToken: async () => { throw new Error("no luck"); } };
    const tokens = createBearerTokenProvider(failing, "s/.default", { policy: { waitTimeoutMs: 2_000 } });
    seen.token = await tokens().catch((error) => ({ ...told(error), cause: error.cause?.message, keyless: isKeylessError(error) }));
    const { FOUNDRY_RESOURCE_URL: endpoint } = emulator.env;
    seen.chat = await streamChat({ endpoint, prompt: "Hello" }).next().catch(told);
    note("end");
    tokens.close();`);
  const notLoaded = {
    code: "diagnosis/not-loaded",
    message: "The module that explains failures could not be loaded",
    hint: expect.stringContaining("WebAssembly"),
  };
  expect(seen).toEqual({
    diagnose: notLoaded,
    token: expect.objectContaining({ keyless: true, cause: expect.stringContaining("no luck") }),
    chat: notLoaded,
    end: ["core", "net", "plan"],
  });
});
