// Counts how often `az` starts in a turn of ten requests to the model, with the credential of the
// Azure CLI. The `az` here is a small program that gets its token from the emulator.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { CopilotClient, defineTool } from "@github/copilot-sdk";
import { createFoundryProvider } from "copilot-keyless";
import { providerOver, quiet } from "./copilot.mjs";
import { credentialOf, report, systemOver } from "./systems.mjs";

const [name] = process.argv.slice(2);
const bin = join(process.env.HOME, "bin");
const log = join(process.env.HOME, "az.log");
mkdirSync(bin);
writeFileSync(log, "");
writeFileSync(
  join(bin, "az"),
  `#!${process.execPath}
require("node:fs").appendFileSync(${JSON.stringify(log)}, "started\\n");
const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = process.env;
const url = IDENTITY_ENDPOINT + "?api-version=2019-08-01&resource=https%3A%2F%2Fai.azure.com";
fetch(url, { headers: { "x-identity-header": IDENTITY_HEADER } }).then((response) => response.json()).then((got) =>
  console.log(JSON.stringify({ accessToken: got.access_token, expires_on: Number(got.expires_on), tokenType: "Bearer" })));
`,
);
chmodSync(join(bin, "az"), 0o755);
process.env.PATH = `${bin}${delimiter}${process.env.PATH}`;

const tools = [
  defineTool("step", {
    description: "Does a step",
    parameters: { type: "object", properties: { number: { type: "number" } } },
    handler: ({ number }) => `step ${number} done`,
  }),
];
const config = {
  ...quiet,
  availableTools: ["step"],
  tools,
  onPermissionRequest: () => ({ kind: "approve-once" }),
};
const credential = await credentialOf("AzureCliCredential");
const client = new CopilotClient({ useLoggedInUser: false });
await client.start();
const session = await client.createSession(
  name === "copilot-keyless"
    ? createFoundryProvider({ credential }).sessionConfig(config)
    : providerOver(await systemOver(name, credential), config),
);
const reply = await session.sendAndWait({ prompt: "Ten steps" }, 120_000);
report({ reply: reply.data.content, started: readFileSync(log, "utf8").trim().split("\n").length });
await client.stop();
process.exit();
