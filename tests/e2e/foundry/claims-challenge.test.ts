// Continuous access evaluation: the resource rejects a valid token with a claims challenge. The
// next token is acquired with the claims.

import {
  CopilotClient,
  type CopilotRequestContext,
  CopilotRequestHandler,
  type CopilotSession,
} from "@github/copilot-sdk";
import {
  createClaimsChallengeHandler,
  createFoundryProvider,
  FoundryAgent,
  type FoundryProvider,
} from "copilot-keyless";
import { afterEach, expect, test } from "vitest";
import { denied, emulated, straightCredential } from "../support.js";

const CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}';

const ID = "11111111-2222-4333-8444-555555555555";

/** A provider, and the claims that its credential was asked for. */
interface Provided {
  foundry: FoundryProvider;
  claims: unknown[];
}

const emulator = await emulated({
  reply: ({ prompt }) => `You said: "${prompt}", in a reply of some words.`,
});
const closing: (() => unknown)[] = [];
afterEach(async () => {
  emulator.faults.clear();
  for (const close of closing.splice(0).reverse()) await close();
});

function provide(credential = straightCredential(emulator)): FoundryProvider {
  const foundry = createFoundryProvider({ credential, tokens: { enableCae: true } });
  closing.push(() => foundry.close());
  return foundry;
}

async function connect(requestHandler: CopilotRequestHandler): Promise<CopilotClient> {
  const client = new CopilotClient({ useLoggedInUser: false, requestHandler });
  await client.start();
  closing.push(() => client.stop());
  return client;
}

const challenge = (claims = CLAIMS) =>
  emulator.faults.add({
    server: "foundry",
    kind: "claims-challenge",
    claims,
    times: Number.POSITIVE_INFINITY,
  });

const ask = async (session: CopilotSession, prompt: string) =>
  (await session.sendAndWait({ prompt }))?.data.content;

/** Returns how many requests of each kind some work sends. */
async function counting(work: () => Promise<unknown>) {
  const before = { ...emulator.counts };
  await work();
  const { identity, foundry, unauthorized } = emulator.counts;
  return {
    identity: identity - before.identity,
    foundry: foundry - before.foundry,
    unauthorized: unauthorized - before.unauthorized,
  };
}

test("twenty sessions are challenged at once: one acquisition with the claims, and every turn is answered", async () => {
  const foundry = provide();
  const client = await connect(await createClaimsChallengeHandler(foundry));
  const sessions = await Promise.all(
    Array.from({ length: 20 }, () => client.createSession(foundry.sessionConfig(denied))),
  );
  await Promise.all(sessions.map((session) => ask(session, "Warm up")));
  challenge();
  const took = await counting(async () => {
    const replies = await Promise.all(sessions.map((session, n) => ask(session, `Question ${n}`)));
    replies.forEach((reply, n) => {
      expect(reply).toContain(`"Question ${n}"`);
    });
  });
  expect(took.identity).toBe(1);
  expect(emulator.requests.findLast(({ server }) => server === "identity")?.query).toContain("claims=%7B");
  expect(took.unauthorized).toBeGreaterThan(0);
  expect(took.foundry).toBe(20 + took.unauthorized);
  // From now on the provider returns the token with the claims.
  expect(await counting(() => ask(sessions[0] as CopilotSession, "Again"))).toEqual({
    identity: 0,
    foundry: 1,
    unauthorized: 0,
  });
});

test("a streamed reply comes in pieces through the handler, after a challenge too", async () => {
  const foundry = provide();
  const client = await connect(await createClaimsChallengeHandler(foundry));
  const session = await client.createSession(foundry.sessionConfig({ ...denied, streaming: true }));
  challenge();
  const pieces: string[] = [];
  session.on("assistant.message_delta", ({ data }) => pieces.push(data.deltaContent));
  const reply = await ask(session, "Slowly");
  expect(reply).toContain("Slowly");
  expect(pieces.join("")).toBe(reply);
  expect(pieces.length).toBeGreaterThan(4);
});

test("claims that no token meets end the turn with the reason, after one acquisition and one repetition", async () => {
  const foundry = provide();
  const client = await connect(await createClaimsChallengeHandler(foundry));
  const session = await client.createSession(foundry.sessionConfig(denied));
  foundry.attach(session);
  await ask(session, "Warm up");
  emulator.faults.add({
    server: "foundry",
    kind: "status",
    status: 401,
    headers: { "www-authenticate": `Bearer error="insufficient_claims", claims="${btoa(CLAIMS)}"` },
    times: Number.POSITIVE_INFINITY,
  });
  const took = await counting(async () => {
    // The SDK would end a prompt sent before the session is idle with the end of this turn.
    const idle = new Promise((resolve) => session.on("session.idle", resolve));
    const error = await ask(session, "Hello").catch((thrown: unknown) => thrown);
    await idle;
    expect(error).toMatchObject({ name: "KeylessError", code: "token/claims-challenge", hint: /policy/ });
  });
  expect(took).toEqual({ identity: 1, foundry: 2, unauthorized: 2 });
  expect(foundry.tokens.status.state).toBe("fresh");
  emulator.faults.clear();
  expect(await ask(session, "And now?")).toContain("And now?");
});

test("a credential that takes no claims ends the turn at once; without watch the session's error says why", async () => {
  const cached = await straightCredential(emulator).getToken("https://ai.azure.com/.default");
  const foundry = provide({ getToken: async () => cached });
  const client = await connect(await createClaimsChallengeHandler(foundry));
  const session = await client.createSession(foundry.sessionConfig(denied));
  challenge();
  const took = await counting(async () => {
    await expect(ask(session, "Hello")).rejects.toThrow(/same token again.*managed identities/s);
  });
  expect(took).toEqual({ identity: 0, foundry: 1, unauthorized: 1 });
});

test("of two identities at one address, the one whose token was challenged answers", async () => {
  const [one, other] = [ID, ID.replace("1", "2")].map((id) => {
    const credential = straightCredential(emulator, undefined, id);
    const claims: unknown[] = [];
    const foundry = provide({
      getToken: (scopes, options) => {
        claims.push(options?.claims);
        return credential.getToken(scopes, options);
      },
    });
    return { foundry, claims };
  }) as [Provided, Provided];
  const client = await connect(await createClaimsChallengeHandler([one.foundry, other.foundry]));
  const session = await client.createSession(other.foundry.sessionConfig(denied));
  other.foundry.attach(session);
  expect(await one.foundry.tokens()).not.toBe(await other.foundry.tokens());
  await ask(session, "Warm up");
  challenge();
  expect(await ask(session, "Hello")).toContain("Hello");
  expect(one.claims).toEqual([undefined]);
  expect(other.claims).toEqual([undefined, CLAIMS]);
});

test("the agent's turns are answered too, and end with the reason", async () => {
  const foundry = provide();
  const requestHandler = await createClaimsChallengeHandler(foundry);
  const agent = new FoundryAgent({ tokens: foundry.tokens, client: { requestHandler } });
  closing.push(() => agent.close());
  challenge();
  expect(await agent.chat("Hello")).toContain("Hello");
  emulator.faults.clear();
  challenge('{"access_token":{}}');
  await expect(agent.chat("And now?")).rejects.toMatchObject({ code: "token/claims-challenge" });
  emulator.faults.clear();
  expect(await agent.chat("Better?")).toContain("Better?");
});

test("a static token is replaced on its way; other 401s and other addresses pass through a handler of one's own", async () => {
  const foundry = provide();
  const seen: string[] = [];
  class Mine extends CopilotRequestHandler {
    protected override async sendRequest(request: Request, context: CopilotRequestContext) {
      const response = await super.sendRequest(request, context);
      seen.push(`${response.status}`);
      return response;
    }
  }
  const other = createFoundryProvider({ endpoint: "https://other.openai.azure.com" });
  const client = await connect(await createClaimsChallengeHandler([other, foundry], { base: Mine }));
  const provider = await foundry.staticConfig();
  const session = await client.createSession({ ...denied, model: foundry.model, provider });
  const fault = challenge();
  expect(await ask(session, "Static")).toContain("Static");
  expect(await ask(session, "Still static")).toContain("Still static");
  expect(seen).toEqual(["401", "200", "401", "200"]);
  fault.remove();

  emulator.faults.add({ server: "foundry", kind: "status", status: 401 });
  expect(await ask(session, "A plain 401")).toContain("A plain 401");
  expect(seen.slice(4)).toEqual(["401", "200"]);

  const elsewhere = await connect(await createClaimsChallengeHandler(other));
  const theirs = await elsewhere.createSession(foundry.sessionConfig(denied));
  challenge('{"id_token":{}}');
  const took = await counting(async () => {
    await expect(ask(theirs, "Not ours")).rejects.toThrow(/401/);
  });
  expect(took).toMatchObject({ identity: 0, foundry: 3 });
});
