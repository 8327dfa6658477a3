// `npm run tool chat`: serves the page of examples/chat-server. Uses the emulator as the resource
// unless FOUNDRY_RESOURCE_URL names one.

import { exampleOnEmulator } from "./example.mjs";
import { foreground, main } from "./steps.mjs";

await main(() =>
  exampleOnEmulator("chat-server", (cwd, env) =>
    foreground(process.execPath, ["server.mjs", ...process.argv.slice(2)], { cwd, env }),
  ),
);
