// `npm run tool functions`: runs the Azure Functions app of examples/azure-functions without Azure:
// in Core Tools if `func` is on the PATH, otherwise in a small host. Uses the emulator as the
// resource unless FOUNDRY_RESOURCE_URL names one.

import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { foreground, main, output, root } from "./steps.mjs";

await main(async () => {
  await build();
  // Lets the app find this package in place of a release from npm.
  const link = join(root, "node_modules/copilot-keyless");
  rmSync(link, { force: true, recursive: true });
  symlinkSync(root, link, "junction");
  const { startEmulator } = await import("copilot-keyless/emulator");
  const emulator = process.env.FOUNDRY_RESOURCE_URL ? undefined : await startEmulator();
  const cwd = join(root, "examples/azure-functions");
  const tools = output("func", ["--version"]) !== undefined;
  console.log(`${tools ? "Core Tools" : "The built-in host (install Core Tools for the real one)"}; try:

  curl -N http://localhost:7071/api/chat -H 'content-type: application/json' -H 'accept: text/event-stream' -d '{"prompt":"Hello"}'
`);
  const settings = { FUNCTIONS_WORKER_RUNTIME: "node", AZURE_FUNCTIONS_ENVIRONMENT: "Development" };
  const env = { ...settings, ...process.env, ...emulator?.env };
  const host = [process.execPath, [join(root, "scripts/functions-host.mjs")]];
  const [command, args] = tools ? ["func", ["start", "--javascript"]] : host;
  const code = await foreground(command, args, { cwd, env });
  await emulator?.stop();
  return code;
});
