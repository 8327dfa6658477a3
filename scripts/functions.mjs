// `npm run tool functions`: runs the Azure Functions app of examples/azure-functions without Azure:
// in Core Tools if `func` is on the PATH, otherwise in a small host. Uses the emulator as the
// resource unless FOUNDRY_RESOURCE_URL names one.

import { join } from "node:path";
import { exampleOnEmulator } from "./example.mjs";
import { foreground, main, output, root } from "./steps.mjs";

await main(() =>
  exampleOnEmulator("azure-functions", (cwd, env) => {
    const tools = output("func", ["--version"]) !== undefined;
    console.log(`${tools ? "Core Tools" : "The built-in host (install Core Tools for the real one)"}; try:

  curl -N http://localhost:7071/api/chat -H 'content-type: application/json' -H 'accept: text/event-stream' -d '{"prompt":"Hello"}'
`);
    const settings = { FUNCTIONS_WORKER_RUNTIME: "node", AZURE_FUNCTIONS_ENVIRONMENT: "Development" };
    const host = [process.execPath, [join(root, "scripts/functions-host.mjs")]];
    const [command, args] = tools ? ["func", ["start", "--javascript"]] : host;
    return foreground(command, args, { cwd, env: { ...settings, ...env } });
  }),
);
