// Tests what a handler loads before its first request: a cold instance should not load it then.

import { join } from "node:path";
import { expect, test } from "vitest";
import { root, run } from "../../support/process.js";

/** Creates a handler, waits until what it loads is loaded, and prints the packages. */
const program = (options: string) => `
import { register } from "node:module";
import { MessageChannel } from "node:worker_threads";
const hooks = \`let port;
export function initialize(given) { port = given; }
export async function load(url, context, next) { port.postMessage(url); return next(url, context); }\`;
const { port1, port2 } = new MessageChannel();
register("data:text/javascript," + encodeURIComponent(hooks), { data: port2, transferList: [port2] });
const packages = new Set();
let last = Date.now();
port1.on("message", (url) => {
  const path = url.split("/node_modules/").at(-1);
  if (path !== url) packages.add(/^(?:@[^/]+\\/)?[^/]+/.exec(path)[0]);
  last = Date.now();
});
const { createChatHandler } = await import("copilot-keyless/http");
last = Date.now();
const handler = createChatHandler({ authorize: "anonymous", ${options} });
while (Date.now() - last < 1_000) await new Promise((resolve) => setTimeout(resolve, 50));
console.log(JSON.stringify({ packages: [...packages], started: handler.status().started }));
process.exit();
`;

async function loadedBy(options: string): Promise<{ packages: string[]; started: boolean }> {
  const env = {
    FOUNDRY_RESOURCE_URL: "https://myres.openai.azure.com",
    IDENTITY_ENDPOINT: "http://127.0.0.1:9/",
    IDENTITY_HEADER: "none",
  };
  const { stdout, stderr } = await run(process.execPath, ["--input-type=module", "-e", program(options)], {
    cwd: join(root, "tests"),
    env: { ...process.env, ...env } as Record<string, string>,
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

test("a handler loads the Copilot SDK and the credential's package when it is created, and starts nothing", async () => {
  const { packages, started } = await loadedBy("");
  expect(packages).toContain("@github/copilot-sdk");
  expect(packages).toContain("@azure/identity");
  expect(started).toBe(false);
});

test("with the direct credential it loads no package for one", async () => {
  const { packages } = await loadedBy('credential: "direct"');
  expect(packages).toContain("@github/copilot-sdk");
  expect(packages).not.toContain("@azure/identity");
});
