// Tests the runtime's process: it starts with any connection or reports the real cause, receives
// only the environment that it needs, never ends its parent process, and ends with it.

import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CopilotClient, RuntimeConnection } from "@github/copilot-sdk";
import { type AgentOptions, FoundryAgent } from "copilot-keyless";
import { afterAll, describe, expect, test } from "vitest";
import { root, run } from "../../support/process.js";
import { runs } from "../../support/processes.mjs";
import { emulated, runtimes, temporaryFolder } from "../support.js";

const emulator = await emulated();
const folder = temporaryFolder();
const session = { availableTools: [] };

const strays: unknown[] = [];
for (const event of ["unhandledRejection", "uncaughtException"] as const) {
  process.on(event, (error) => strays.push(error));
}
afterAll(() => expect(strays).toEqual([]));

const agentWith = (options: AgentOptions = {}) =>
  new FoundryAgent({ session, timeoutMs: 20_000, ...options });

function program(name: string, text: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe("a start that fails", () => {
  const missing = join(folder, "missing");
  const file = join(folder, "file");
  const stdio = (path: string) => ({ client: { connection: RuntimeConnection.forStdio({ path }) } });
  const BROKEN: Record<string, { options: AgentOptions; code: string; names: string; mend?: () => void }> = {
    "a client's working directory that is missing": {
      options: { client: { workingDirectory: missing } },
      code: "sdk/working-directory",
      names: missing,
      mend: () => mkdirSync(missing),
    },
    "a session's working directory that is missing": {
      options: { session: { ...session, workingDirectory: `${missing}-2` } },
      code: "sdk/working-directory",
      names: `${missing}-2`,
      mend: () => mkdirSync(`${missing}-2`),
    },
    "a working directory that is a file": {
      options: { client: { workingDirectory: program("no-folder", "") } },
      code: "sdk/working-directory",
      names: join(folder, "no-folder"),
    },
    "a home that is a file": {
      options: { client: { baseDirectory: file } },
      code: "sdk/home-not-writable",
      names: file,
      mend: () => rmSync(file),
    },
    "a program that is missing": {
      options: stdio(join(folder, "nothing")),
      code: "sdk/start-failed",
      names: join(folder, "nothing"),
    },
    "a program that may not be run": {
      options: stdio(program("not-executable", "", 0o644)),
      code: "sdk/start-failed",
      names: join(folder, "not-executable"),
    },
    "a program that is none": {
      options: stdio(program("garbage", "\u0000garbage")),
      code: "sdk/start-failed",
      names: join(folder, "garbage"),
    },
    "a program that ends at once": {
      options: stdio(program("ends", "#!/bin/sh\necho sorry >&2\nexit 3\n")),
      code: "sdk/start-failed",
      names: join(folder, "ends"),
    },
    "a program that ends at once, over TCP": {
      options: { client: { connection: RuntimeConnection.forTcp({ path: join(folder, "ends") }) } },
      code: "sdk/start-failed",
      names: join(folder, "ends"),
    },
    "a runtime that nobody has started": {
      options: { client: { connection: RuntimeConnection.forUri("127.0.0.1:1") } },
      code: "sdk/start-failed",
      names: "127.0.0.1:1",
    },
    "variables given twice": {
      options: { client: { env: { A: "1" }, connection: RuntimeConnection.forStdio({ env: { B: "1" } }) } },
      code: "sdk/client-refused",
      names: "client-level env option or the connection's env",
    },
    "variables for a runtime in this process": {
      options: { client: { env: { A: "1" }, connection: RuntimeConnection.forInProcess() } },
      code: "sdk/client-refused",
      names: "env is not supported",
    },
  };
  writeFileSync(file, "");

  test.each(Object.entries(BROKEN))(
    "is told by name, and the next turn works once it is mended: %s",
    async (_, { options, code, names, mend }) => {
      await using agent = agentWith(options);
      for (let turn = 0; turn < 2; turn += 1) {
        await expect(agent.chat("Hello")).rejects.toMatchObject({
          code,
          message: expect.stringContaining(names),
          hint: expect.any(String),
        });
      }
      if (!mend) return;
      mend();
      expect(await agent.chat("And now?")).toContain("And now?");
    },
  );

  test("a home that is deleted between two turns", async () => {
    const baseDirectory = join(folder, "deleted-home");
    await using agent = agentWith({ client: { baseDirectory } });
    await agent.chat("Hello");
    rmSync(baseDirectory, { recursive: true });
    const [second, third] = [await agent.chat("Still there?").catch(String), await agent.chat("And now?")];
    expect(second).toMatch(/Still there|deleted-home/);
    expect(third).toContain("And now?");
  });
});

describe("every connection of the SDK works", () => {
  const CONNECTIONS: Record<string, AgentOptions["client"]> = {
    "stdio with variables": { connection: RuntimeConnection.forStdio({ env: { ADDED: "1" } }) },
    TCP: { connection: RuntimeConnection.forTcp() },
    "TCP with variables": { connection: RuntimeConnection.forTcp({ env: { ADDED: "1" } }) },
    "in this process": { connection: RuntimeConnection.forInProcess() },
  };
  test.each(Object.entries(CONNECTIONS))("%s", async (_, client) => {
    await using agent = agentWith({ client });
    expect(await agent.chat("Hello")).toContain("Hello");
    expect(await agent.chat("Again")).toContain("Again");
  });

  test("somebody else's runtime, which goes on when the agent is closed", async () => {
    const server = new CopilotClient({
      useLoggedInUser: false,
      connection: RuntimeConnection.forTcp({ connectionToken: "for-tests" }),
    });
    await server.start();
    const { runtimePort } = server as unknown as { runtimePort: number };
    const connection = RuntimeConnection.forUri(`127.0.0.1:${runtimePort}`, { connectionToken: "for-tests" });
    for (const prompt of ["First", "Second"]) {
      const agent = agentWith({ client: { connection } });
      expect(await agent.chat(prompt)).toContain(prompt);
      await agent.close();
    }
    expect((await server.ping("still there")).message).toContain("still there");
    await server.stop();
  });

  test("the one that COPILOT_SDK_DEFAULT_CONNECTION names", async () => {
    process.env.COPILOT_SDK_DEFAULT_CONNECTION = "inprocess";
    try {
      await using agent = agentWith();
      expect(await agent.chat("Hello")).toContain("Hello");
      process.env.COPILOT_SDK_DEFAULT_CONNECTION = "pigeon";
      await using other = agentWith();
      await expect(other.chat("Hello")).rejects.toMatchObject({
        code: "sdk/client-refused",
        message: expect.stringContaining("pigeon"),
      });
    } finally {
      delete process.env.COPILOT_SDK_DEFAULT_CONNECTION;
    }
  });
});

describe("its environment", () => {
  const SECRETS = [
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "APPSETTING_AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_SECRET",
    "AzureWebJobsStorage",
    "COPILOT_GITHUB_TOKEN",
    "GITHUB_PAT",
    "NPM_TOKEN",
    "OPENAI_API_KEY",
    "SOMETHING_NEW",
    "SYSTEM_ACCESSTOKEN",
  ];

  async function environmentOf(env: Record<string, string | undefined> | undefined): Promise<string> {
    for (const name of SECRETS) process.env[name] = `pl4nted-${name}`;
    const before = new Set(runtimes());
    try {
      await using agent = agentWith(env && { client: { env } });
      await agent.chat("Hello");
      const [runtime] = runtimes().filter((pid) => !before.has(pid)) as [number];
      return readFileSync(`/proc/${runtime}/environ`, "utf8");
    } finally {
      for (const name of SECRETS) delete process.env[name];
    }
  }

  test("is a short list, by default", async () => {
    const environment = await environmentOf(undefined);
    expect(environment).not.toContain("pl4nted");
    expect(environment).not.toContain("IDENTITY_");
    expect(environment).toContain(`PATH=${process.env.PATH}`);
    expect(environment).toContain("COPILOT_HOME=");
  });

  test("and what the program adds; a copy of the process's own adds only what differs", async () => {
    process.env.SOMETHING_NEW = "pl4nted-SOMETHING_NEW";
    const copy = await environmentOf({
      ...process.env,
      ...Object.fromEntries(SECRETS.map((name) => [name, `pl4nted-${name}`])),
      ADDED: "1",
    });
    expect(copy).not.toContain("pl4nted");
    expect(copy).toContain("ADDED=1");
    const named = await environmentOf({ NPM_TOKEN: "pl4nted-NPM_TOKEN", IDENTITY_HEADER: "pl4nted" });
    expect(named).toContain("NPM_TOKEN=pl4nted-NPM_TOKEN");
    expect(named, "no identity secret, whoever passes it").not.toContain("IDENTITY_HEADER");
    expect(named.match(/pl4nted/g)).toHaveLength(1);
  });
});

describe("the end of the program", () => {
  const WAYS = ["plain", "tcp", "tcp, SIGTERM", "inprocess", "keepFresh", "aborted", "unread", "killed"];

  test.each(WAYS)("comes although nobody closes the agent: %s", async (how) => {
    const { stdout, stderr } = await run(
      process.execPath,
      [join(root, "tests/e2e/programs/unclosed.mjs"), how],
      { env: { ...process.env, ...emulator.env } as Record<string, string> },
    );
    const ended = Date.now();
    expect(stderr).toBe("");
    const { pids, at } = JSON.parse(stdout) as { pids: number[]; at: number };
    expect(ended - at, "the program ends").toBeLessThan(3_000);
    await expect.poll(() => pids.filter(runs), { timeout: 1_000 }).toEqual([]);
  });
});
