// Tests what becomes of the requests of a credential that takes no signal, as MSAL: its acquisition
// is given up, and it still waits for the identity endpoint.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer, get, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createBearerTokenProvider, type TokenCredential } from "copilot-keyless";
import { FakeClock } from "copilot-keyless/testing";
import { expect, onTestFinished, test } from "vitest";
import { failure } from "../../support/credential.js";

const HOUR = 3_600_000;

/** Resolves when a client of this process has the head of an answer. */
const receivedHead = () =>
  new Promise<void>((resolve) => {
    const onHead = () => {
      unsubscribe("http.client.response.finish", onHead);
      resolve();
    };
    subscribe("http.client.response.finish", onHead);
  });

/** An identity endpoint that answers when the test says so, and a credential that asks it. */
async function endpoint(clock: FakeClock) {
  const waiting: ServerResponse[] = [];
  const errors: unknown[] = [];
  const server = createServer((_request, response) => void waiting.push(response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const ask = () =>
    new Promise<string>((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      const request = get({ host: "127.0.0.1", port, agent: false }, (response) => {
        response.setEncoding("utf8").on("data", resolve);
      });
      request.on("error", (error) => {
        errors.push(error);
        reject(error);
      });
    });
  const credential: TokenCredential = {
    getToken: async () => ({ token: await ask(), expiresOnTimestamp: clock.now() + HOUR }),
  };
  const provider = createBearerTokenProvider(credential, "s", { clock });
  onTestFinished(() => provider.close());
  const giveUp = async () => {
    const waits = failure(provider());
    await expect.poll(() => waiting.length).toBe(1);
    await clock.advance(15_000);
    expect(await waits).toMatchObject({ code: "credential/network" });
  };
  const isOpen = () => waiting.map(({ destroyed }) => !destroyed);
  return { provider, giveUp, waiting, isOpen, errors };
}

test("it may still bring a token within a minute", async () => {
  const clock = new FakeClock();
  const { provider, giveUp, waiting, errors } = await endpoint(clock);
  await giveUp();
  await clock.advance(44_000);
  waiting[0]?.end("late-token");
  await expect.poll(() => provider.status.state).toBe("fresh");
  expect(await provider()).toBe("late-token");
  expect(errors).toEqual([]);
});

test("it is ended after a minute, in a way that is not repeated", async () => {
  const clock = new FakeClock();
  const { giveUp, isOpen, errors } = await endpoint(clock);
  await giveUp();
  expect(isOpen()).toEqual([true]);
  await clock.advance(60_000);
  await expect.poll(isOpen).toEqual([false]);
  expect(errors).toMatchObject([{ code: "ABORT_ERR" }]);
});

test.each([false, true])("close() ends it, also within its answer: %s", async (hasBegun) => {
  const clock = new FakeClock();
  const { provider, giveUp, waiting, isOpen } = await endpoint(clock);
  await giveUp();
  if (hasBegun) {
    const began = receivedHead();
    waiting[0]?.flushHeaders();
    await began;
  }
  provider.close();
  await expect.poll(isOpen).toEqual([false]);
});

test("close() ends an acquisition that is waited for", async () => {
  const { provider, waiting, isOpen } = await endpoint(new FakeClock());
  const waits = failure(provider());
  await expect.poll(() => waiting.length).toBe(1);
  provider.close();
  expect(await waits).toMatchObject({ code: "token/closed" });
  await expect.poll(isOpen).toEqual([false]);
});
