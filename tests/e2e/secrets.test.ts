// Plants secrets wherever a program may have some, and searches the output, events, errors, and
// files of the Copilot runtime for them.

import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, expect, test } from "vitest";
import { newcomer, root, run } from "../support/process.js";
import { temporaryFolder } from "./support.js";

/** A tool result, as the model receives it. */
const told: string[] = [];
const emulator = await startEmulator({
  chunkDelayMs: 0,
  reply: ({ prompt, toolResults }) => {
    told.push(...toolResults.map(({ text }) => text));
    if (prompt !== "Run env") return "Hello";
    if (toolResults.length > 0) return "Done";
    return {
      toolCalls: [{ name: "bash", arguments: { command: "env", description: "Show the environment" } }],
    };
  },
});
afterAll(() => emulator.stop());

/** Unique values, so that each is recognisable. */
let planted = 0;
const plant = (name: string) => `Pl4nted-${name.replace(/_/g, "-")}~${++planted}.zQ`;

const JWT = `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify({ oid: plant("claim") })).toString("base64url")}.${plant("signature").replace(/[~.]/g, "_")}`;
const OPAQUE = plant("opaque");

const ENVIRONMENT = Object.fromEntries(
  [
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_PASSWORD",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "MSI_WHATEVER_COMES",
  ].map((name) => [name, plant(name)]),
);

/** The values, and the secret of the identity endpoint. */
const SECRETS = [JWT, OPAQUE, ...Object.values(ENVIRONMENT), emulator.env.IDENTITY_HEADER];

/** Returns all files below a folder, as text. */
function contents(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

/** Returns the encodings in which files and logs may contain a text. */
const spellings = (secret: string) => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString("base64").slice(0, -4),
];

const homes = temporaryFolder();

/** Runs a scenario in its own process, and searches its output and files for every secret. */
async function leaves(
  scenario: string,
  kind = "",
): Promise<{ output: string; disk: string; code: number | null }> {
  const home = mkdtempSync(join(homes, "home-"));
  const { code, stdout, stderr } = await run(
    process.execPath,
    [join(root, "tests/e2e/programs/secrets.mjs"), scenario, kind],
    {
      env: {
        ...newcomer({ ...emulator.env, ...ENVIRONMENT, HARMLESS: "h4rmless" }),
        PATH: String(process.env.PATH),
        COPILOT_HOME: home,
        SECRETS: JSON.stringify({ jwt: JWT, opaque: OPAQUE }),
      },
    },
  );
  const disk = contents(home);
  const issued = emulator.requests.flatMap(({ tokenId }) => tokenId ?? []);
  for (const [place, text] of Object.entries({ stdout, stderr, disk, told: told.join("\n") })) {
    for (const secret of SECRETS.flatMap(spellings)) {
      const at = text.indexOf(secret);
      expect(at < 0 ? "" : text.slice(Math.max(0, at - 300), at + secret.length), place).toBe("");
    }
    // The emulator's own tokens, which working turns use: a token contains its id in this form.
    for (const id of issued)
      expect(text).not.toContain(Buffer.from(`"uti":"${id}"`).toString("base64url").slice(4, -4));
    expect(text).not.toMatch(/eyJ[\w-]{10,}\.[\w-]{10,}/);
  }
  return { output: stdout + stderr, disk, code };
}

test("an agent that is told to run env, and may, finds no identity secret, and neither does its model", async () => {
  const { output, disk } = await leaves("shell");
  const environment = told.find((text) => text.includes("ADDED=4dded"));
  expect(environment).toBeDefined();
  expect(environment, "nor anything else that nobody gave it").not.toContain("HARMLESS");
  expect(environment).not.toMatch(/^(IDENTITY_|MSI_|AZURE_(CLIENT|FEDERATED|PASSWORD))/m);
  expect(disk).toContain("4dded");
  expect(output).toContain("'Done'");
});

test("by default it may not", async () => {
  const before = told.length;
  await leaves("no permission");
  expect(told.slice(before).join()).not.toContain("ADDED");
  expect(told.slice(before).join()).toMatch(/permi/i);
});

const CREDENTIALS = ["throws", "line break", "not accepted"] as const;
const CODES = {
  throws: "credential/failed",
  "line break": "token/malformed",
  "not accepted": "model/token-invalid",
};

test.concurrent.each(CREDENTIALS)(
  "an agent whose credential's token or error holds a secret: %s",
  async (kind) => {
    const { output } = await leaves("agent", kind);
    expect(output).toContain(CODES[kind]);
  },
);

test.concurrent.each([
  ["session", "throws"],
  ["session", "line break"],
  ["session", "not accepted"],
  ["token function", "throws"],
  ["token function", "line break"],
  ["tokens alone", "throws"],
  ["tokens alone", "line break"],
])("a plain session, on whose disk the callback's error ends: %s, %s", async (scenario, kind) => {
  const { output, disk } = await leaves(scenario, kind);
  expect(output).toContain("session.error");
  // The redacted text is there, so unredacted secrets would be there too.
  if (kind === "throws")
    expect(disk).toContain("The value [redacted] or '[redacted]' was refused, [redacted]");
  if (kind === "line break") expect(disk).toContain("characters that no HTTP header can carry");
});

test("a claims challenge whose acquisition fails", async () => {
  const fault = emulator.faults.add({
    server: "foundry",
    kind: "claims-challenge",
    claims: "{}",
    times: Number.POSITIVE_INFINITY,
  });
  const { disk } = await leaves("claims");
  fault.remove();
  expect(disk).toContain("The value [redacted] or '[redacted]' was refused, [redacted]");
});

test("an uncaught error", async () => {
  const { output, code } = await leaves("uncaught", "throws");
  expect(code).toBe(1);
  expect(output).toContain("credential/failed");
  expect(output).toContain("client_secret=[redacted]");
});

test("the emulator's log", () => {
  const log = JSON.stringify(emulator.requests);
  for (const secret of SECRETS) expect(log).not.toContain(secret);
});
