// `npm run functions`: runs the Azure Functions app of examples/azure-functions on this machine, without Azure: unless
// FOUNDRY_RESOURCE_URL is set, the emulator stands in for it. With Core Tools (`func` on the PATH) in the real host, else in a small one.

import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { build } from "./build.mjs";
import { linkPackage, main, root } from "./steps.mjs";

const APP = join(root, "examples/azure-functions");
const PORT = "7071";

await main(async () => {
  await build();
  linkPackage();
  const emulator = process.env.FOUNDRY_RESOURCE_URL ? undefined : await startEmulator();
  const tools = spawnSync("func", ["--version"], { shell: process.platform === "win32" }).status === 0;
  const [command, ...args] = tools
    ? ["func", "start", "--port", PORT, "--javascript"]
    : [process.execPath, join(root, "scripts/functions-host.mjs"), APP, "--port", PORT];
  console.log(`${tools ? "Core Tools" : "The built-in host (install Core Tools for the real one)"}; try:

  curl -N http://localhost:${PORT}/api/chat -H 'content-type: application/json' -H 'accept: text/event-stream' -d '{"prompt":"Hello"}'
`);
  const child = spawn(command, args, {
    cwd: APP,
    stdio: "inherit",
    shell: tools && process.platform === "win32",
    env: {
      FUNCTIONS_WORKER_RUNTIME: "node",
      AZURE_FUNCTIONS_ENVIRONMENT: "Development",
      ...process.env,
      ...emulator?.env,
    },
  });
  // Ctrl-C reaches the child by itself; waiting for it lets it end the app.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exit, signal) => resolve(signal ? 1 : exit));
  });
  await emulator?.stop();
  return code;
});

async function startEmulator() {
  const emulator = await import("copilot-keyless/emulator");
  return emulator.startEmulator();
}
