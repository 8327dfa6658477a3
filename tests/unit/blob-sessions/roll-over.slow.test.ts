// A log that is rolled over before an append blob is full, here after some blocks instead of 45,000.

import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, expect, test } from "vitest";
import { storeOf } from "../../../js/blob-sessions/conversations.js";
import { AZURITE_HOME, createContainer, startAzurite, storageToken } from "../../support/azurite.mjs";
import { installLocked } from "../../support/install-locked.js";
import { startStorageProxy } from "../../support/storage-proxy.mjs";

installLocked(AZURITE_HOME, "Installing Azurite for its tests");
const azurite = await startAzurite();
const proxy = await startStorageProxy(azurite);
afterAll(async () => {
  await proxy.stop();
  await azurite.stop();
});
await createContainer(azurite, "conversations");
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
const credential = {
  getToken: async () => ({ token: storageToken(), expiresOnTimestamp: Date.now() + 3_600_000 }),
};
const client = new BlobServiceClient(proxy.account, credential, { retryOptions: { maxTries: 1 } });
const container = client.getContainerClient("conversations");
const store = storeOf(
  { container: async () => container, leaseMs: 15_000, expireAfterMs: undefined, blocksPerLog: 6 },
  () => {},
);

/** One turn that appends a line. Resolves with the id, and what the file holds. */
async function append(line: string, sessionId?: string): Promise<[string, string]> {
  const turn = sessionId === undefined ? store.begin("model", "caller") : store.resume(sessionId, "caller");
  await turn.open();
  await turn.files.appendFile("/events.jsonl", `${line}\n`);
  await turn.files.writeFile("/state.txt", line);
  const text = await turn.files.readFile("/events.jsonl");
  await turn.end();
  return [turn.sessionId, text];
}

/** The blobs of all conversations, and how many blocks each log has. */
async function blobs(): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of container.listBlobsFlat()) found.push(name.split("/").at(-1) as string);
  return found;
}

async function blocks(): Promise<number> {
  for await (const { name } of container.listBlobsFlat())
    if (name.endsWith("/log"))
      return (await container.getBlobClient(name).getProperties()).blobCommittedBlockCount ?? 0;
  return 0;
}

test("nothing of it is lost, and one blob is left", async () => {
  const [sessionId] = await append("0");
  const lines = ["0"];
  for (let index = 1; index <= 12; index += 1) {
    lines.push(String(index));
    expect((await append(String(index), sessionId))[1]).toBe(`${lines.join("\n")}\n`);
    expect(await blocks()).toBeLessThanOrEqual(8);
  }
  expect(await blobs()).toEqual(["log"]);
  await store.deleteAllOf("caller");
});

test.each([
  ["before the log was emptied", 1],
  ["before the files were in it again", 2],
])("a worker that dies in the midst of it, %s, loses nothing", async (_when, creations) => {
  const [sessionId] = await append("0");
  const lines = ["0"];
  let [created, isDead] = [0, false];
  proxy.fault = (call) => {
    if (call === "create") created += 1;
    // From then on its requests arrive nowhere; the lease is returned so that no test has to wait.
    if (created >= creations && call !== "create") isDead = true;
    if (created > creations) isDead = true;
    return isDead && call !== "release" ? { status: 400 } : undefined;
  };
  for (let index = 1; !isDead; index += 1) {
    lines.push(String(index));
    await append(String(index), sessionId);
    expect(index).toBeLessThan(20);
  }
  proxy.fault = () => undefined;
  for (const line of ["x", "y", "z"]) {
    lines.push(line);
    expect((await append(line, sessionId))[1]).toBe(`${lines.join("\n")}\n`);
  }
  await store.deleteAllOf("caller");
});
