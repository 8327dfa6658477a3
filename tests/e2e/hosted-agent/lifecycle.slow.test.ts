// The agent's process: SIGTERM, a new container for the same session, an identity that is not there,
// and the same agent outside the platform, where anybody can send the platform's headers.

import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../../support/process.js";
import { json, parseEvents, startProgram, until } from "../functions/support.js";
import { emulatorForAgents, homeFolder, JSON_ONLY, post, startAgent, statusOf, user } from "./support.js";

const emulator = await emulatorForAgents();

test("SIGTERM: the turn ends, new ones and the probe are refused, the process ends with 0", async () => {
  const agent = await startAgent(emulator);
  const streamed = await post(agent, "/invocations", { input: "Slowly" }, user("ann"));
  const ended = once(agent.process, "exit");
  agent.process.kill("SIGTERM");
  await until(async () => (await statusOf(`${agent.url}/readiness`)) === 503);
  const refused = await post(agent, "/invocations", { input: "Hi" }, user("bob"));
  expect([refused.status, (await json(refused)).code]).toEqual([503, "chat/closing"]);
  const events = parseEvents(await streamed.text());
  expect(events.at(-1)?.event).toBe("done");
  expect(JSON.stringify(events)).toContain("word199");
  expect(await ended).toEqual([0, null]);
});

test("SIGTERM with no time: the turn is told, and the process ends", async () => {
  const agent = await startAgent(emulator, { AGENTSERVER_GRACEFUL_SHUTDOWN_TIMEOUT_SECONDS: "0" });
  const streamed = await post(agent, "/responses", { input: "Slowly", stream: true });
  const ended = once(agent.process, "exit");
  agent.process.kill("SIGTERM");
  const last = parseEvents(await streamed.text()).at(-1);
  expect(last?.event).toBe("response.failed");
  expect(last?.data.response).toMatchObject({ status: "failed", error: { code: "chat/closing" } });
  expect(await ended).toEqual([0, null]);
});

test("a second SIGTERM does not wait for the turn", async () => {
  const agent = await startAgent(emulator);
  const streamed = await post(agent, "/invocations", { input: "Slowly" });
  const ended = once(agent.process, "exit");
  agent.process.kill("SIGTERM");
  await until(async () => (await statusOf(`${agent.url}/readiness`)) === 503);
  agent.process.kill("SIGTERM");
  expect(parseEvents(await streamed.text()).at(-1)).toMatchObject({
    event: "error",
    data: { code: "chat/closing" },
  });
  expect(await ended).toEqual([0, null]);
});

test("a new container continues the conversations of its session's home, each for its user", async () => {
  const HOME = homeFolder();
  const ask = async (agent: { url: string }, name: string) =>
    (await json(await post(agent, "/invocations", { input: "Hi" }, { ...JSON_ONLY, ...user(name) }))).output;
  const first = await startAgent(emulator, { HOME });
  expect(await ask(first, "ann")).toBe("Turn 0: Hi");
  const answer = await post(first, "/responses", { input: "Hi" }, user("ann"));
  const { id } = await json(answer);
  expect(await first.stop()).toBe(0);
  const second = await startAgent(emulator, { HOME });
  expect([await ask(second, "ann"), await ask(second, "bob")]).toEqual(["Turn 1: Hi", "Turn 0: Hi"]);
  const next = await post(second, "/responses", { input: "Hi", previous_response_id: id }, user("ann"));
  expect(JSON.stringify(await next.json())).toContain('"text":"Turn 1: Hi"');
  const stolen = await post(second, "/responses", { input: "Hi", previous_response_id: id }, user("bob"));
  expect([stolen.status, (await json(stolen)).code]).toEqual([404, "chat/session-not-found"]);
});

test("without an identity the agent is not ready; it is when there is one", { timeout: 60_000 }, async () => {
  const broken = await emulatorForAgents();
  broken.faults.add({ server: "identity", kind: "status", status: 400 });
  const env = { ...broken.hosts.foundryHostedAgent, PORT: "0" };
  const agent = await startProgram([join(root, "examples/hosted-agent/server.mjs")], env);
  const state = async () => {
    const response = await fetch(`${agent.url}/readiness`);
    return { status: response.status, ...((await response.json()) as object) };
  };
  const isFailing = async () => JSON.stringify(await state()).includes("credential/");
  await until(isFailing);
  expect(await state()).toMatchObject({ status: "unhealthy", healthy: false });
  broken.faults.clear();
  // After the backoff of a refusal, ten seconds.
  await expect.poll(() => statusOf(`${agent.url}/readiness`), { timeout: 30_000 }).toBe(200);
});

/** The same agent, where something in front of it says who the caller is. */
const OUTSIDE = `
  import { createHostedAgent } from "copilot-keyless/hosted-agent";
  const agent = createHostedAgent({ authorize: ({ headers }) => headers.get("x-real-user") ?? false });
  const { url } = await agent.serve({ host: "127.0.0.1" });
  console.log("listening " + url);
`;

test("outside the platform its headers count for nothing: authorize names the caller", async () => {
  // In the clone, where the package finds itself.
  const program = join(root, `target/hosted-agent-${process.pid}.mjs`);
  writeFileSync(program, OUTSIDE);
  onTestFinished(() => rmSync(program));
  // An empty value is not the platform.
  const agent = await startAgent(emulator, { FOUNDRY_HOSTING_ENVIRONMENT: "" }, program);
  const ask = (real: string | undefined, forged: string) =>
    post(
      agent,
      "/invocations",
      { input: "Hi" },
      {
        ...JSON_ONLY,
        ...user(forged),
        "x-agent-foundry-call-id": "forged",
        ...(real ? { "x-real-user": real } : {}),
      },
    );
  emulator.seen.headers.length = 0;
  expect((await json(await ask("ann", "ann"))).output).toBe("Turn 0: Hi");
  // Another caller who claims to be Ann.
  expect((await json(await ask("eve", "ann"))).output).toBe("Turn 0: Hi");
  expect((await json(await ask("ann", "eve"))).output).toBe("Turn 1: Hi");
  const nobody = await ask(undefined, "ann");
  expect([nobody.status, (await json(nobody)).code]).toEqual([401, "chat/unauthorized"]);
  expect(emulator.seen.headers.map((sent) => sent["x-agent-foundry-call-id"])).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test.each([
  ["PORT", "http"],
  ["PORT", "65536"],
  ["AGENTSERVER_GRACEFUL_SHUTDOWN_TIMEOUT_SECONDS", "-1"],
])("%s=%s ends the start with the reason", async (name, value) => {
  await expect(startAgent(emulator, { [name]: value })).rejects.toThrow(
    new RegExp(`${name} must be a whole number`),
  );
});
