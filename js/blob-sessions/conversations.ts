import type { ContainerClient } from "@azure/storage-blob";
import type { ConversationStore, StoredTurn } from "../copilot/conversation-store.js";
import { defaultCredential } from "../credentials/default.js";
import { directCredential } from "../credentials/direct.js";
import { readOptions } from "../errors/check.js";
import { planProvider } from "../foundry/plan.js";
import { sessionBusy, sessionNotFound } from "../http/problem.js";
import { systemClock } from "../platform/clock.js";
import { coreEnvironment, environment } from "../platform/environment.js";
import { createBearerTokenProvider } from "../tokens/provider.js";
import type { TokenProvider } from "../tokens/types.js";
import { ConversationBlobs, loadStorage, send } from "./blobs.js";
import { storageUnavailable } from "./errors.js";
import { folderOf, nameOf, pathOf } from "./names.js";
import { BLOB_CHECKS, type BlobConversationsOptions, checkAccount, serviceUrl } from "./options.js";
import type { StoreSettings } from "./settings.js";
import { BlobTurn } from "./turn.js";

/** Conversations in Azure Blob Storage, for `createChatHandler({ conversations })`. */
export interface BlobConversations extends ConversationStore {
  /**
   * Deletes a conversation by the id that its caller has. Does nothing if there is none.
   *
   * @throws KeylessError `chat/session-busy` while a prompt of it is being answered, `storage/...`
   */
  delete(sessionId: string, caller: string): Promise<void>;
  /**
   * Deletes all conversations of a caller, also those that are being answered: their turns are lost.
   * `caller` is what `authorize` or `caller` returned.
   *
   * @throws KeylessError `storage/...`
   */
  deleteAllOf(caller: string): Promise<void>;
}

const SCOPE = "https://storage.azure.com/.default";
const CONTAINER = "conversations";
const LEASE_SECONDS = 30;
const DAY_MS = 86_400_000;

/** An append blob takes 50,000 blocks; a turn has 2, or more if it writes much. */
const BLOCKS_PER_LOG = 45_000;

/** How long a deletion may take, in milliseconds. */
const DELETE_MS = 30_000;

/**
 * Keeps the conversations of a chat handler in Azure Blob Storage, so that the next turn of each may
 * run in any instance. Needs `@azure/storage-blob`, which the first turn imports.
 *
 * While a turn runs, its worker holds a lease of the conversation. A turn is kept when its reply is
 * complete, in one write; a worker that dies loses that turn only, and the next caller is told so
 * with `chat/turn-lost`. Callers are apart: who has the id of another's conversation finds nothing.
 *
 * @throws KeylessError `storage/invalid-option`, `credential/configuration`
 * @example
 * ```ts
 * const chat = createChatHandler({
 *   conversations: blobConversations({ account: "myaccount", container: "conversations" }),
 * });
 * ```
 */
export function blobConversations(given: BlobConversationsOptions): BlobConversations {
  const options = readOptions(given, BLOB_CHECKS, "storage/invalid-option");
  checkAccount(options.account);
  const { expireAfterDays, leaseSeconds = LEASE_SECONDS } = options;
  const tokens = tokensFor(options);
  let client: Promise<ContainerClient> | undefined;
  const settings: StoreSettings = {
    container: () => {
      client ??= connect(options, tokens);
      return client;
    },
    leaseMs: leaseSeconds * 1000,
    expireAfterMs: expireAfterDays === undefined ? undefined : expireAfterDays * DAY_MS,
    blocksPerLog: BLOCKS_PER_LOG,
  };
  return storeOf(settings, () => tokens.close());
}

/**
 * A store with settings that tests can choose.
 *
 * @internal
 */
export function storeOf(settings: StoreSettings, close: () => void): BlobConversations {
  return {
    begin: (model, caller): StoredTurn =>
      new BlobTurn({ id: crypto.randomUUID(), model }, caller, "new", settings),
    resume: (sessionId, caller): StoredTurn => {
      const name = nameOf(sessionId);
      if (!name) throw sessionNotFound();
      return new BlobTurn(name, caller, "existing", settings);
    },
    named: (id, model, caller, mustExist) =>
      new BlobTurn({ id, model }, caller, mustExist ? "existing" : "either", settings),
    delete: (sessionId, caller) => remove(settings, sessionId, caller),
    deleteAllOf: (caller) => removeAll(settings, caller),
    close,
  };
}

function tokensFor({ credential, env = environment() }: BlobConversationsOptions): TokenProvider {
  if (typeof credential === "object") return createBearerTokenProvider(credential, SCOPE);
  // The plan of a model's provider has the credential. Which model does not matter.
  const request = { endpoint: "https://any.openai.azure.com", ownCredential: false };
  const { credential: plan } = planProvider({ ...request, env: coreEnvironment(env) });
  const found =
    credential === "direct" ? directCredential(env, plan.authorityHost) : defaultCredential(plan, env);
  return createBearerTokenProvider(found, SCOPE);
}

async function connect(options: BlobConversationsOptions, tokens: TokenProvider): Promise<ContainerClient> {
  const { account, container = CONTAINER } = options;
  const { BlobServiceClient } = await loadStorage();
  const credential = {
    getToken: async () => {
      const { token, expiresOnTimestamp } = await tokens.getToken();
      return { token, expiresOnTimestamp };
    },
  };
  // src/lease decides when a request is sent again.
  const client = new BlobServiceClient(serviceUrl(account), credential, { retryOptions: { maxTries: 1 } });
  return client.getContainerClient(container);
}

async function remove(settings: StoreSettings, sessionId: string, caller: string): Promise<void> {
  const name = nameOf(sessionId);
  if (!name) return;
  const blobs = new ConversationBlobs(await settings.container(), pathOf(name, caller));
  const patience = { until: systemClock.monotonic() + DELETE_MS };
  // A lease refuses a deletion without it.
  const answer = await blobs.remove(undefined, patience);
  if (answer.reply === "fenced") throw sessionBusy();
  if (answer.reply !== "done" && answer.reply !== "missing") throw notDeleted(answer.error);
}

async function removeAll(settings: StoreSettings, caller: string): Promise<void> {
  const container = await settings.container();
  const patience = { until: systemClock.monotonic() + DELETE_MS };
  const answer = await send(patience, async () => {
    for await (const { name } of container.listBlobsFlat({ prefix: `${folderOf(caller)}/` })) {
      const blob = container.getBlobClient(name);
      await blob
        .getBlobLeaseClient()
        .breakLease(0)
        .catch(() => {});
      await blob.deleteIfExists();
    }
  });
  if (answer.reply !== "done") throw notDeleted(answer.error);
}

const notDeleted = (cause: unknown) =>
  storageUnavailable("The conversation could not be deleted", "no answer in time", cause);
