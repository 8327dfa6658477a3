// Tests that a home folder that cannot be created ends with its code: Node's recursive mkdirSync
// never returns in /proc.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, run } from "../../support/process.js";
import { temporaryFolder } from "../support.js";

const file = join(temporaryFolder(), "file");
writeFileSync(file, "");

test("a durable folder that cannot be created ends with its code, where Node's mkdirSync hangs", async () => {
  const program = `
    import { createChatHandler } from "copilot-keyless/azure-functions";
    import { FoundryAgent } from "copilot-keyless";
    const base = { endpoint: "http://127.0.0.1:9/openai/v1/", env: {} };
    const chat = createChatHandler({ ...base, exposeErrors: true,
      durable: { baseDirectory: process.argv[1], secret: "s".repeat(32) } });
    const request = new Request("http://x/", { method: "POST", body: '{"prompt":"Hi"}',
      headers: { "content-type": "application/json" } });
    const quiet = () => {};
    const response = await chat(request, { invocationId: "1", info: quiet, warn: quiet, error: quiet });
    console.log(response.status, JSON.parse(await new Response(response.body).text()).code);
    const agent = new FoundryAgent({ ...base, client: { baseDirectory: process.argv[1] }, timeoutMs: 20_000 });
    await agent.chat("Hi").catch((error) => console.log(error.code));
    await agent.close();
    process.exit();`;
  const path = process.platform === "linux" ? "/proc/nowhere" : join(file, "a");
  const args = ["--input-type=module", "-e", program, path];
  const result = await run(process.execPath, args, { env: process.env as Record<string, string>, cwd: root });
  expect(result).toMatchObject({ code: 0, stdout: "500 sdk/home-not-writable\nsdk/home-not-writable\n" });
}, 40_000);
