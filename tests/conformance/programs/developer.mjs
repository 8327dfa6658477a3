// Counts how often `az` starts during ten model requests on a developer's machine. This `az`
// responds as versions 2.54 and later do.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { AzureCliCredential, DefaultAzureCredential } from "@azure/identity";
import { report, systemUnderTest } from "./systems.mjs";

const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-az-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const starts = join(folder, "starts");
const expires = new Date(Date.now() + 3_600_000);
const answer = {
  accessToken: "opaque-token-of-az",
  expiresOn: expires.toISOString().replace("T", " ").replace("Z", "000"),
  expires_on: Math.floor(expires / 1000),
  subscription: "00000000-0000-0000-0000-000000000001",
  tenant: "00000000-0000-0000-0000-000000000002",
  tokenType: "Bearer",
};
const script = `#!/bin/sh\necho "$*" >> '${starts}'\ncat <<'END'\n${JSON.stringify(answer, null, 2)}\nEND\n`;
writeFileSync(join(folder, "az"), script, { mode: 0o755 });
process.env.PATH = `${folder}${delimiter}${process.env.PATH}`;
process.env.AZURE_TOKEN_CREDENTIALS = "dev";

const CREDENTIALS = {
  AzureCliCredential: () => new AzureCliCredential(),
  DefaultAzureCredential: () => new DefaultAzureCredential(),
};
const provide = await systemUnderTest().create(CREDENTIALS[process.argv[3]]());
const tokens = new Set();
for (let n = 0; n < 10; n += 1) tokens.add(await provide());
const commands = readFileSync(starts, "utf8").trim().split("\n");
report({ tokens: [...tokens], starts: commands.length, command: commands[0] });
