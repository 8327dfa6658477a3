import { KeylessError } from "../errors/keyless-error.js";
import type { StorageReply } from "../wasm/modules/lease.js";

const ROLE = "Storage Blob Data Contributor";

/** The error of a request that the storage did not do, and will not do later. */
export function storageRefused(reply: StorageReply, said: string, cause: unknown): KeylessError {
  if (reply === "no-container") {
    return new KeylessError("storage/container-not-found", "The container for conversations does not exist", {
      hint: "Create it: az storage container create --auth-mode login --account-name <account> --name <container>.",
      cause,
    });
  }
  if (reply === "refused") {
    return new KeylessError("storage/refused", `The identity may not use the container: ${said}`, {
      hint: `Assign it the role ${ROLE} on the container or the account, and wait some minutes; or the account's firewall refuses this network.`,
      cause,
    });
  }
  return new KeylessError("storage/failed", `The storage refused a request: ${said}`, {
    hint: "Use a general-purpose v2 account, whose append blobs this needs.",
    cause,
  });
}

/** The error when there was no time left for another attempt. */
export function storageUnavailable(what: string, said: string, cause: unknown): KeylessError {
  return new KeylessError("storage/unavailable", `${what}: ${said}`, {
    hint: "Try again. If it goes on, check the name of the account, its network and its limits.",
    retryAfterMs: 5_000,
    cause,
  });
}

/** The error of a turn whose worker has lost the conversation to another one. */
export function leaseLost(): KeylessError {
  return new KeylessError(
    "storage/lease-lost",
    "The turn is not kept: this worker was too slow to renew its lease of the conversation, and another one may have taken over",
    { hint: "Send the prompt again. If it happens often, the worker has too little processor time." },
  );
}

/** The error of a conversation whose blobs this version cannot read. */
export function unreadable(cause?: unknown): KeylessError {
  return new KeylessError("storage/unreadable", "The stored conversation cannot be read", {
    hint: "Another program has written to the container, or a newer version of this one. Give it a container of its own.",
    cause,
  });
}
