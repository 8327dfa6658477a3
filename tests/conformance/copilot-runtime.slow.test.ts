// Tests the Copilot runtime's own keyless mode (`type: "azure"`, no credential) with the real SDK
// and the emulator.

import { describe, expect, test } from "vitest";
import { reportOf } from "./support.js";

const PEER = "runtime";
const PROVIDER = "createFoundryProvider";
const AGENT = "FoundryAgent";

interface Found {
  answered: boolean;
  secretLength?: number;
  unauthorized: number;
  resources: string[];
}

const converse = (system: string, scenario: string) => reportOf<Found>("keyless-mode", system, scenario);

describe.concurrent("the token is revoked between two turns", () => {
  test("createFoundryProvider with watch(): one 401, a new token, and the turn is answered", async () => {
    const { answered, unauthorized, resources } = await converse(PROVIDER, "revoked");
    expect({ answered, unauthorized, requests: resources.length }).toEqual({
      answered: true,
      unauthorized: 1,
      requests: 2,
    });
  });

  test("FoundryAgent: the turn is answered", async () => {
    expect(await converse(AGENT, "revoked")).toMatchObject({ answered: true });
  });

  test("the runtime: sends the revoked token three times, asks for no other, and the turn fails", async () => {
    const { answered, unauthorized, resources } = await converse(PEER, "revoked");
    expect({ answered, unauthorized, requests: resources.length }).toEqual({
      answered: false,
      unauthorized: 3,
      requests: 1,
    });
  });
});

describe.concurrent("a project endpoint", () => {
  test("ours: a token for ai.azure.com, and an answer", async () => {
    expect(await converse(AGENT, "project")).toMatchObject({
      answered: true,
      unauthorized: 0,
      resources: ["https://ai.azure.com"],
    });
  });

  test("the runtime: a token for cognitiveservices.azure.com, which the project refuses", async () => {
    expect(await converse(PEER, "project")).toMatchObject({
      answered: false,
      unauthorized: 3,
      resources: ["https://cognitiveservices.azure.com"],
    });
  });
});

describe.concurrent("the agent's shell tool looks for the secret of the identity endpoint", () => {
  test("ours: it is not in its environment", async () => {
    expect(await converse(AGENT, "shell")).toMatchObject({ secretLength: 0, unauthorized: 0 });
  });

  test("the runtime: it is there, all 64 characters of it", async () => {
    expect(await converse(PEER, "shell")).toMatchObject({ secretLength: 64, unauthorized: 0 });
  });
});
