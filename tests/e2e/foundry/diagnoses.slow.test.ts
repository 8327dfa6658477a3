// Tests every diagnosis through the agent and attach(), with the real runtime: the application's
// error has the cause, Azure's words and the next step, and never mentions the runtime's API keys.

import { inspect } from "node:util";
import { CopilotClient, type CopilotSession } from "@github/copilot-sdk";
import {
  createFoundryProvider,
  type DiagnosisCode,
  FoundryAgent,
  KeylessError,
  type TokenCredential,
} from "copilot-keyless";
import { type Emulator, type ResourceErrorCode, startEmulator } from "copilot-keyless/emulator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { denied, straightCredential, temporaryFolder } from "../support.js";

/**
 * The faults that cause each diagnosis, and its error. Each has its own emulator, so that they run
 * in parallel.
 */
interface Case {
  status?: number;
  says: RegExp;
  hint: RegExp;
  emulate?: () => Promise<Emulator>;
  error?: ResourceErrorCode;
  credential?: (emulator: Emulator) => TokenCredential;
  /** Requests to the resource: the runtime retries some. */
  requests?: number;
}

// The agent alone measures the first byte: tests/e2e/copilot/first-byte.slow.test.ts.
const CASES: Record<Exclude<DiagnosisCode, "ok" | "gateway-page" | "first-byte-timeout">, Case> = {
  // Of a gateway's page the runtime passes on the status alone, so that its code is unknown here.
  // The runtime retries these for some seconds: start them first, so that the others run meanwhile.
  "rate-limited": {
    status: 429,
    says: /retry after 1 seconds/,
    hint: /usage list/,
    error: "rate-limited",
    requests: 6,
  },
  "server-error": {
    status: 500,
    says: /had an error/,
    hint: /status\.azure\.com/,
    error: "server-error",
    requests: 6,
  },
  network: {
    says: /did not respond/,
    hint: /network|port|proxy/,
    emulate: async () => {
      const emulator = await startEmulator();
      emulator.faults.add({ server: "foundry", kind: "reset", times: Infinity });
      return emulator;
    },
  },
  "missing-role": {
    status: 401,
    says: /lacks the required data action/,
    hint: /az role assignment create --assignee [\da-f-]{36} --role [\da-f-]{36} --scope/,
    emulate: () => startEmulator({ roles: ["Owner"] }),
    requests: 3,
  },
  "wrong-audience": {
    status: 401,
    says: /for https:\/\/management\.azure\.com; the resource expects https:\/\/ai\.azure\.com/,
    hint: /FOUNDRY_TOKEN_SCOPE=https:\/\/ai\.azure\.com\/\.default/,
    emulate: async () => {
      const emulator = await startEmulator();
      emulator.faults.add({ server: "identity", kind: "wrong-audience", times: Infinity });
      return emulator;
    },
  },
  "token-expired": {
    status: 401,
    says: /expired \d+ (s|min) ago/,
    hint: /createFoundryProvider/,
    emulate: async () => {
      const emulator = await startEmulator();
      emulator.faults.add({ server: "identity", kind: "expired", times: Infinity });
      return emulator;
    },
    credential: (emulator) => straightCredential(emulator, 3_600_000),
  },
  "token-invalid": {
    status: 401,
    says: /its times and its audience are correct/,
    hint: /revoked/,
    credential: (emulator) => {
      const straight = straightCredential(emulator);
      const first = straight.getToken("https://ai.azure.com/.default").then((token) => {
        emulator.revokeTokens();
        return token;
      });
      return { getToken: () => first };
    },
    // The credential returns the same token again: it is tried once more, in case the resource was
    // wrong.
    requests: 2,
  },
  "wrong-tenant": {
    status: 400,
    says: /does not match resource tenant/,
    hint: /tenant/,
    error: "wrong-tenant",
  },
  "custom-subdomain-required": {
    status: 400,
    says: /custom subdomain/,
    hint: /--custom-domain/,
    error: "custom-subdomain-required",
  },
  "wrong-cloud": {
    status: 401,
    says: /names https:\/\/cognitiveservices\.azure\.us/,
    hint: /operator/,
    error: "wrong-cloud",
  },
  "claims-challenge": {
    status: 401,
    says: /Continuous access evaluation/,
    hint: /createClaimsChallengeHandler/,
    error: "claims-challenge",
  },
  "resource-blocked": {
    status: 403,
    says: /temporarily blocked/,
    hint: /Stop sending requests/,
    error: "resource-blocked",
    requests: 1,
  },
  "resource-not-found": {
    status: 404,
    says: /Subdomain does not map/,
    hint: /account list/,
    error: "resource-not-found",
  },
  "unsupported-parameter": {
    status: 400,
    says: /the parameter.*Unsupported parameter/,
    hint: /Leave the parameter out/,
    error: "unsupported-parameter",
  },
  "context-length": {
    status: 400,
    says: /maximum context length/,
    hint: /Shorten the input/,
    error: "context-length",
  },
  "encrypted-content": {
    status: 400,
    says: /could not be verified/,
    hint: /Pin the session to one resource/,
    error: "encrypted-content",
  },
  "item-not-found": {
    status: 400,
    says: /not found/,
    hint: /previous_response_id/,
    error: "item-not-found",
  },
  "quota-exceeded": {
    status: 403,
    says: /Out of call volume quota/,
    hint: /paid pricing tier/,
    error: "quota-exceeded",
  },
  "bad-key": {
    status: 401,
    says: /invalid subscription key/,
    hint: /unset AZURE_OPENAI_API_KEY/,
    error: "bad-key",
  },
  "keys-disabled": { status: 403, says: /Key based authentication/, hint: /apiKey/, error: "keys-disabled" },
  firewall: {
    status: 403,
    says: /Virtual Network\/Firewall/,
    hint: /network-rule add/,
    error: "firewall",
    requests: 1,
  },
  "public-access-disabled": {
    status: 403,
    says: /Public access is disabled/,
    hint: /private endpoint/,
    error: "public-access-disabled",
  },
  "deployment-not-found": {
    status: 404,
    says: /no deployment "gpt-5\.5".*does not exist/,
    hint: /deployment list/,
    error: "deployment-not-found",
    requests: 1,
  },
  "wrong-path": {
    status: 404,
    says: /Resource not found/,
    hint: /127\.0\.0\.1:\d+\/v1 /,
    error: "wrong-path",
  },
  "api-version": {
    status: 400,
    says: /not allowed when using/,
    hint: /Leave apiVersion out/,
    error: "api-version",
  },
  "operation-not-supported": {
    status: 400,
    says: /does not work with the specified model/,
    hint: /wireApi: "completions"/,
    error: "operation-not-supported",
  },
  "content-filter": {
    status: 400,
    says: /content management policy/,
    hint: /Rephrase/,
    error: "content-filter",
  },
  "gateway-key": {
    status: 401,
    says: /missing subscription key/,
    hint: /Ocp-Apim-Subscription-Key/,
    error: "gateway-key",
  },
  "bad-request": {
    status: 400,
    says: /malformed/,
    hint: /copilot-keyless config/,
    emulate: () => faulty({ status: 400 }),
  },
  unknown: {
    status: 402,
    says: /Pay first/,
    hint: /own words/,
    emulate: () =>
      faulty({ status: 402, body: { error: { code: "PaymentRequired", message: "Pay first" } } }),
  },
};

async function faulty(
  answer: { status: number; body?: object } | { error: ResourceErrorCode },
): Promise<Emulator> {
  const emulator = await startEmulator();
  emulator.faults.add({ server: "foundry", kind: "status", times: Infinity, ...answer });
  return emulator;
}

const client = new CopilotClient({ useLoggedInUser: false, baseDirectory: temporaryFolder() });
const emulators: Emulator[] = [];
beforeAll(() => client.start());
afterAll(async () => {
  await client.stop();
  await Promise.all(emulators.map((emulator) => emulator.stop()));
});

async function prepared({ emulate, error, credential = straightCredential }: Case) {
  const emulator = await (emulate?.() ?? (error ? faulty({ error }) : startEmulator()));
  emulators.push(emulator);
  const options = { env: emulator.env, credential: credential(emulator) };
  return { emulator, options };
}

function expectDiagnosed(thrown: unknown, name: string, { status, says, hint }: Case): KeylessError {
  expect(thrown, inspect(thrown)).toBeInstanceOf(KeylessError);
  const error = thrown as KeylessError;
  expect(error).toMatchObject({ code: `model/${name}`, message: expect.stringMatching(says) });
  expect(error.status).toBe(status);
  expect(error.hint).toMatch(hint);
  const shown = `${error.message}${error.hint}`;
  expect(shown).not.toMatch(/COPILOT_PROVIDER/);
  expect(`${shown}${inspect(error)}${JSON.stringify(error)}`).not.toMatch(/eyJ[\w-]{10,}/);
  return error;
}

describe.concurrent("the agent", () => {
  test.each(Object.entries(CASES))("tells of %s", async (name, given) => {
    const { emulator, options } = await prepared(given);
    const agent = new FoundryAgent({ ...options, client, session: { availableTools: [] } });
    const before = emulator.counts.foundry;
    expectDiagnosed(await agent.chat("Hello").catch((error: unknown) => error), name, given);
    if (given.requests) expect(emulator.counts.foundry - before).toBe(given.requests);
    await agent.close();
  });
});

describe.concurrent("an attached session", () => {
  test.each(Object.entries(CASES))("tells of %s", async (name, given) => {
    const { options } = await prepared(given);
    const foundry = createFoundryProvider(options);
    const session = await client.createSession(foundry.sessionConfig(denied));
    const told: KeylessError[] = [];
    const stop = foundry.attach(session, (error) => told.push(error));
    const thrown = await session.sendAndWait({ prompt: "Hello" }).catch((error: unknown) => error);
    const error = expectDiagnosed(thrown, name, given);
    expect(error.cause, "the runtime's own").toBeInstanceOf(Error);
    expect(told.map(({ code }) => code)).toContain(`model/${name}`);
    stop();
    await session.disconnect();
    foundry.close();
  });
});

describe("errors that attach() does not change", () => {
  async function watched(
    given: Case,
  ): Promise<{ session: CopilotSession; stop: () => void; emulator: Emulator }> {
    const { emulator, options } = await prepared(given);
    const foundry = createFoundryProvider(options);
    const session = await client.createSession(foundry.sessionConfig(denied));
    return { session, stop: foundry.attach(session), emulator };
  }

  test("once it is stopped, the session is as it was", async () => {
    const { session, stop } = await watched({ says: /./, hint: /./, error: "firewall" });
    expect(Object.hasOwn(session, "sendAndWait")).toBe(true);
    stop();
    expect(Object.hasOwn(session, "sendAndWait")).toBe(false);
    await expect(session.sendAndWait({ prompt: "Hello" })).rejects.toThrow(/COPILOT_PROVIDER/);
    await session.disconnect();
  });

  test("a turn that succeeds after a failed request, and a timeout of the caller's own", async () => {
    const { session, emulator } = await watched({ says: /./, hint: /./ });
    emulator.faults.add({ server: "foundry", kind: "status", status: 500 });
    expect((await session.sendAndWait({ prompt: "Hello" }))?.data.content).toContain("Hello");
    emulator.faults.add({ server: "foundry", kind: "hang" });
    await expect(session.sendAndWait({ prompt: "Too slow" }, 300)).rejects.toThrow(/Timeout after 300ms/);
    await session.disconnect();
  });

  test("a failed token acquisition is reported as such", async () => {
    const { session, emulator } = await watched({
      says: /./,
      hint: /./,
      credential: () => ({ getToken: () => Promise.reject(new Error("no identity here")) }),
    });
    await expect(session.sendAndWait({ prompt: "Hello" })).rejects.toMatchObject({
      code: "credential/failed",
      message: expect.stringContaining("no identity here"),
    });
    expect(emulator.counts.foundry).toBe(0);
    await session.disconnect();
  });
});
