// Runs each client through the gateway. With ALL_CLIENTS, `npm run clients`, in all cases, and writes
// the table of docs/guides/clients.md; without, in those that show most.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newcomer, root } from "../../support/process.js";
import { cli } from "../cli/support.js";
import { CASES, type Setup, setUp, tearDown } from "./client-cases.js";
import { CLIENTS, HOME, installClients, python } from "./client-list.js";

installClients();

const all = process.env.ALL_CLIENTS !== undefined;
const SHOW_MOST = ["by `run`", "tool call", "revoked token", "missing role"];
const names = Object.keys(CASES).filter((name) => all || SHOW_MOST.includes(name));
const passed = new Map(CLIENTS.map(({ name }) => [name, { cases: [] as string[], notes: [] as string[] }]));

describe.each(CLIENTS.map((client) => [client.name, client] as const))("%s", (name, client) => {
  // A gateway for each client: one asks for another token in place of a rejected one only now and then.
  let setup: Setup;
  beforeAll(async () => {
    setup = await setUp();
  });
  afterAll(() => tearDown(setup));

  test.each(names)("%s", { timeout: 180_000 }, async (title) => {
    const note = await CASES[title]?.(setup, client);
    const { cases, notes } = passed.get(name) as { cases: string[]; notes: string[] };
    cases.push(title);
    if (note !== undefined) notes.push(note);
  });
});

test("run --demo -- copilot -p hello: no GitHub login, no Azure, no configuration", {
  timeout: 180_000,
}, async () => {
  const env = newcomer({ PATH: process.env.PATH ?? "" });
  const copilot = join(HOME, "node_modules/.bin/copilot");
  const result = await cli(["run", "--demo", "--", copilot, "-p", "hello"], env);
  expect([result.code, result.stdout]).toEqual([0, expect.stringMatching(/You said: "hello"/)]);
});

test("run keeps what is meant for this machine from a proxy", { timeout: 180_000 }, async () => {
  const proxy = { HTTP_PROXY: "http://127.0.0.1:9", NO_PROXY: "corp.example" };
  const env = newcomer({ PATH: process.env.PATH ?? "", ...proxy });
  const program = join(HOME, "openai_client.py");
  const result = await cli(["run", "--demo", "--", python, program, "stream", "hello"], env);
  expect([result.code, result.stdout]).toEqual([0, expect.stringMatching(/You said: "hello"/)]);
});

const PAGE = join(root, "docs/guides/clients.md");
const MARKS = /(?<=<!-- works with -->\n\n).*?(?=\n\n<!-- \/works with -->)/s;
const rows = () => (MARKS.exec(readFileSync(PAGE, "utf8"))?.[0] ?? "").split("\n").slice(2);

test("docs/guides/clients.md has these clients and versions", () => {
  if (all) {
    const table = CLIENTS.map(({ name, version }) => {
      const { cases = [], notes = [] } = passed.get(name) ?? {};
      const missing = names.filter((one) => !cases.includes(one));
      const works = missing.length === 0 ? "✓" : `all but: ${missing.join(", ")}`;
      return `| ${name} | ${version} | ${works} | ${notes.join("; ")} |`;
    });
    const head = ["| client | version | works | notes |", "| --- | --- | --- | --- |"];
    const text = readFileSync(PAGE, "utf8").replace(MARKS, () => [...head, ...table].join("\n"));
    writeFileSync(PAGE, text);
  }
  const own = CLIENTS.map(({ name, version }) => `${name} | ${version}`);
  expect(rows().map((row) => row.split(" | ").slice(0, 2).join(" | ").slice(2))).toEqual(own);
});
