import type { TokenCredential } from "../credentials/credential.js";
import { type Check, type Checks, credential, either, object } from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import type { Environment } from "../platform/environment.js";

/** Options of {@link blobConversations}. */
export interface BlobConversationsOptions {
  /**
   * The storage account: its name, or the address of its blob service, as in
   * `https://myaccount.blob.core.windows.net`.
   */
  account: string;
  /** The container, which must exist. Nothing else may write to it. Default `conversations`. */
  container?: string | undefined;
  /**
   * The credential, of `@azure/identity` or your own; `"direct"` for the one of this package that
   * needs no other. Its identity needs the role _Storage Blob Data Contributor_. Default: by the
   * environment, as for the model.
   */
  credential?: TokenCredential | "direct" | undefined;
  /**
   * After how many days without a turn a conversation ends: its next turn is
   * `chat/session-not-found`, and its blob is deleted. Default: never. A rule of the account's
   * lifecycle management has to delete the blobs of those that nobody asks for.
   */
  expireAfterDays?: number | undefined;
  /**
   * For how long a worker that died keeps its conversation, in seconds, 15 to 60. A running turn
   * renews its lease after a third of it. Default 30.
   */
  leaseSeconds?: number | undefined;
  /** The environment that the default credential reads. Default `process.env`. */
  env?: Environment | undefined;
}

const CODE = "storage/invalid-option";

const ACCOUNT: Check = {
  expected: "the name of a storage account, or the https address of its blob service",
  fits: (value) =>
    typeof value === "string" && (/^[a-z\d]{3,24}$/.test(value) || /^https:\/\/[^/]/.test(value)),
};
const CONTAINER: Check = {
  expected: "the name of a container: 3 to 63 small letters, digits and single hyphens",
  fits: (value) => typeof value === "string" && /^(?=.{3,63}$)[a-z\d]+(-[a-z\d]+)*$/.test(value),
};
const DAYS: Check = {
  expected: "a number of days, above 0",
  fits: (value) => typeof value === "number" && value > 0,
};
const SECONDS: Check = {
  expected: "a whole number of seconds, 15 to 60",
  fits: (value) => Number.isInteger(value) && (value as number) >= 15 && (value as number) <= 60,
};

const direct: Check = { expected: '"direct"', fits: (value) => value === "direct" };

/** The types of {@link BlobConversationsOptions}. */
export const BLOB_CHECKS: Checks<BlobConversationsOptions> = {
  account: ACCOUNT,
  container: CONTAINER,
  credential: either(direct, credential),
  expireAfterDays: DAYS,
  leaseSeconds: SECONDS,
  env: object,
};

/** @throws KeylessError `storage/invalid-option` without an account */
export function checkAccount(account: unknown): void {
  if (account !== undefined) return;
  throw new KeylessError(CODE, "account is missing", {
    hint: 'Pass the name of the storage account, as in blobConversations({ account: "myaccount" }).',
  });
}

/** The address of an account's blob service. */
export function serviceUrl(account: string): string {
  return account.startsWith("https:") ? account : `https://${account}.blob.core.windows.net`;
}
