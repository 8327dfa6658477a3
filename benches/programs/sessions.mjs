// Starts 50 sessions of one Copilot client at once, a turn each; the runner counts the requests to
// the identity endpoint.
import { CopilotClient } from "@github/copilot-sdk";
import { createFoundryProvider } from "copilot-keyless";
import { providerOver, quiet } from "./copilot.mjs";
import { credentialOf, report, systemOver, tell } from "./systems.mjs";

const [name, sessions = "50"] = process.argv.slice(2);

// As far away as a real endpoint may be.
await tell({ fault: { server: "identity", kind: "delay", delayMs: 300 } });
const client = new CopilotClient({ useLoggedInUser: false });
await client.start();
const settings =
  name === "copilot-keyless"
    ? createFoundryProvider().sessionConfig(quiet)
    : providerOver(await systemOver(name, await credentialOf("ManagedIdentityCredential")));
const replies = await Promise.all(
  Array.from({ length: Number(sessions) }, async (_, index) => {
    const session = await client.createSession(settings);
    const reply = await session.sendAndWait({ prompt: `Session ${index}` }, 120_000);
    return reply.data.content.includes(`Session ${index}`);
  }),
);
report({ answered: replies.filter(Boolean).length });
await client.stop();
process.exit();
