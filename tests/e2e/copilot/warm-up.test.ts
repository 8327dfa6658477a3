// An agent that starts before its first turn.

import { existsSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FoundryAgent } from "copilot-keyless";
import { expect, test, vi } from "vitest";
import { emulated, runtimes } from "../support.js";

const emulator = await emulated();

test("the first turn of a warm agent waits for neither the runtime nor a token", async () => {
  await using agent = new FoundryAgent({ preset: "chat" });
  expect(runtimes()).toEqual([]);
  await agent.warmUp();
  const started = runtimes();
  expect(started).toHaveLength(1);
  expect(emulator.counts).toMatchObject({ identity: 1, foundry: 0 });
  // Once is enough.
  await agent.warmUp();
  await agent.chat("Hi");
  expect(runtimes()).toEqual(started);
  expect(emulator.counts.identity).toBe(1);
});

test("what warms a runtime up leaves no session, starts no MCP server, and asks no model", async () => {
  const home = mkdtempSync(join(tmpdir(), "copilot-keyless-warm-"));
  const started = join(home, "mcp-server-started");
  const script = `require("node:fs").writeFileSync(${JSON.stringify(started)}, "")`;
  const server = { type: "stdio" as const, command: process.execPath, args: ["-e", script], tools: ["*"] };
  await using agent = new FoundryAgent({
    client: { baseDirectory: home },
    session: { mcpServers: { server } },
  });
  await agent.warmUp();
  const sessions = join(home, "session-state");
  await vi.waitFor(() => expect(readdirSync(sessions)).toEqual([]), 10_000);
  expect(existsSync(started)).toBe(false);
  expect(emulator.counts.foundry).toBe(1);
});

test("a closed agent does not start", async () => {
  const agent = new FoundryAgent({ preset: "chat" });
  await agent.close();
  await expect(agent.warmUp()).rejects.toMatchObject({ code: "agent/closed" });
});
