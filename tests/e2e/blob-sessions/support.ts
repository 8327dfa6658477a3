import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import { afterAll } from "vitest";
import { AZURITE_HOME, type Azurite, startAzurite, storageToken } from "../../support/azurite.mjs";
import { installLocked } from "../../support/install-locked.js";
import { type StorageProxy, startStorageProxy } from "../../support/storage-proxy.mjs";
import { appWith, ask, json, type StartedApp, startApp } from "../functions/support.js";

/** Starts Azurite for the tests of a file, and a proxy before it. */
export async function startStorage(): Promise<{ azurite: Azurite; proxy: StorageProxy }> {
  installLocked(AZURITE_HOME, "Installing Azurite for its tests");
  const azurite = await startAzurite();
  const proxy = await startStorageProxy(azurite);
  afterAll(async () => {
    await proxy.stop();
    await azurite.stop();
  });
  return { azurite, proxy };
}

/** A credential with tokens for the storage. */
export const credential = {
  getToken: async () => ({ token: storageToken(), expiresOnTimestamp: Date.now() + 3_600_000 }),
};

/**
 * A client of a container, in this process. Its connections do not check Azurite's certificate; the
 * workers' do.
 */
export async function createContainer(
  { account }: { account: string },
  name: string,
): Promise<ContainerClient> {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
  const container = new BlobServiceClient(account, credential).getContainerClient(name);
  await container.create();
  return container;
}

/** Options of an app's worker. */
export interface WorkerOptions {
  account: string;
  container: string;
  certFile: string;
  env: Record<string, string>;
  leaseSeconds?: number;
}

/** Starts a worker process: an app whose credential is the default one, against the emulator. */
export function startWorker({
  account,
  container,
  certFile,
  env,
  ...more
}: WorkerOptions): Promise<StartedApp> {
  const options = JSON.stringify({ account, container, ...more });
  const folder = appWith(
    `{
      conversations: blobConversations(${options}),
      caller: (request) => request.headers.get("x-user") ?? "somebody",
    }`,
    'import { blobConversations } from "copilot-keyless/blob-sessions";',
  );
  return startApp(folder, { ...env, NODE_EXTRA_CA_CERTS: certFile });
}

/** An answer of a worker. */
export interface WorkerAnswer {
  status: number;
  /** The seconds that the caller shall wait. */
  wait: number;
  reply?: string;
  sessionId?: string;
  code?: string;
}

/** Sends a prompt to a worker. */
export async function send(
  worker: StartedApp,
  prompt: string,
  sessionId?: string,
  user = "somebody",
): Promise<WorkerAnswer> {
  const response = await ask(worker, { prompt, sessionId }, { "x-user": user });
  const wait = Number(response.headers.get("retry-after") ?? 0);
  return { status: response.status, wait, ...(await json(response)) };
}

/** Sends a prompt until the conversation is not busy, each time after the wait that it is told. */
export async function sendPatiently(
  worker: StartedApp,
  prompt: string,
  sessionId: string,
): Promise<WorkerAnswer & { waitedMs: number }> {
  const from = performance.now();
  for (;;) {
    const answer = await send(worker, prompt, sessionId);
    if (answer.code !== "chat/session-busy") return { ...answer, waitedMs: performance.now() - from };
    await new Promise((next) => setTimeout(next, answer.wait * 1000));
  }
}
