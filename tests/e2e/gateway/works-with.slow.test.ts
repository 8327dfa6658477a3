// Runs clients through the gateway. With CLIENTS, `npm run clients`, all or those named, in all cases,
// and writes the table of docs/guides/clients.md; without, those of CI in the cases that show most.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newcomer, root } from "../../support/process.js";
import { cli } from "../cli/support.js";
import { type Client, HOME } from "./client.js";
import { CASES, type Setup, setUp, tearDown } from "./client-cases.js";
import { CLIENTS_OF_CI, openaiPython } from "./client-list.js";
import { CLIENTS_ON_DEMAND } from "./client-list-on-demand.js";
import { type Result, rowsOf, withRow } from "./works-with-table.js";

const CLIENTS: readonly Client[] = [...CLIENTS_OF_CI, ...CLIENTS_ON_DEMAND];
const named = process.env.CLIENTS?.split(",");
const all = named?.includes("all");
const unknown = named?.filter((name) => name !== "all" && !CLIENTS.some(({ id }) => id === name)) ?? [];
if (unknown.length > 0)
  throw new Error(`Unknown: ${unknown.join()}. Known: ${CLIENTS.map(({ id }) => id).join(", ")}`);

const chosen = named ? CLIENTS.filter(({ id }) => all || named.includes(id)) : CLIENTS_OF_CI;
const SHOW_MOST = ["by `run`", "tool call", "revoked token", "missing role"];
const cases = Object.entries(CASES).filter(([title]) => named || SHOW_MOST.includes(title));
const PAGE = join(root, "docs/guides/clients.md");

for (const client of CLIENTS_OF_CI) client.install();

describe.each(chosen.map((client) => [client.name, client] as const))("%s", (_name, client) => {
  const { note, tools = true } = client;
  const own = cases.filter(([title]) => tools || title !== "tool call");
  const result: Result = { missing: own.map(([title]) => title), notes: note === undefined ? [] : [note] };
  if (!tools) result.notes.push("has no tools");
  // A gateway for each client: one asks for another token in place of a rejected one only now and then.
  let setup: Setup | undefined;
  beforeAll(async () => {
    try {
      client.install();
    } catch (error) {
      result.notInstalled = (error as Error).message;
      return;
    }
    setup = await setUp(client);
  }, 900_000);
  afterAll(async () => {
    if (setup) await tearDown(setup);
    // At once, so that a run that is broken off has told what it saw.
    if (named) writeFileSync(PAGE, withRow(readFileSync(PAGE, "utf8"), CLIENTS, client, result));
  });

  for (const [title, play] of own)
    test(title, { timeout: 180_000 }, async ({ skip }) => {
      if (!setup) return skip(result.notInstalled);
      const note = await play(setup, client);
      result.missing = result.missing.filter((one) => one !== title);
      if (note !== undefined) result.notes.push(note);
    });
});

const someOnly = named !== undefined && !all;

test.skipIf(someOnly)(
  "run --demo -- copilot -p hello: no GitHub login, no Azure, no configuration",
  {
    timeout: 180_000,
  },
  async () => {
    const env = newcomer({ PATH: process.env.PATH ?? "" });
    const copilot = join(HOME, "node_modules/.bin/copilot");
    const result = await cli(["run", "--demo", "--", copilot, "-p", "hello"], env);
    expect([result.code, result.stdout]).toEqual([0, expect.stringMatching(/You said: "hello"/)]);
  },
);

test.skipIf(someOnly)(
  "run keeps what is meant for this machine from a proxy",
  { timeout: 180_000 },
  async () => {
    const proxy = { HTTP_PROXY: "http://127.0.0.1:9", NO_PROXY: "corp.example" };
    const env = newcomer({ PATH: process.env.PATH ?? "", ...proxy });
    const python = join(openaiPython.bin, "python");
    const program = join(HOME, "openai_client.py");
    const result = await cli(["run", "--demo", "--", python, program, "stream", "hello"], env);
    expect([result.code, result.stdout]).toEqual([0, expect.stringMatching(/You said: "hello"/)]);
  },
);

test("docs/guides/clients.md has these clients and versions", () => {
  const own = CLIENTS.map(({ name, version }) => `| ${name} | ${version} |`);
  const rows = rowsOf(readFileSync(PAGE, "utf8"));
  expect(rows.map((row) => row.split(" | ", 2).join(" | ").concat(" |"))).toEqual(own);
});
