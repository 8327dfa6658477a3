// Resumes a session in another process: `resume.mjs <session id> <prompt> [without]`. Prints the
// reply or the error.

import { CopilotClient } from "@github/copilot-sdk";
import { createFoundryProvider } from "copilot-keyless";

const [, , id, prompt, without] = process.argv;
const denied = { availableTools: [], onPermissionRequest: () => ({ kind: "reject" }) };
const client = new CopilotClient({ useLoggedInUser: false });
await client.start();
const foundry = createFoundryProvider();
try {
  const session = await client.resumeSession(id, without ? denied : foundry.sessionConfig(denied));
  console.log((await session.sendAndWait({ prompt }))?.data.content);
} catch (error) {
  console.log(`failed: ${error.message}`);
} finally {
  await client.stop();
  foundry.close();
}
