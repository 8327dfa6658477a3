import { KeylessError } from "../errors/keyless-error.js";

/** Which tokens to revoke: those of an identity. Default: all. */
export interface TokenSelection {
  /** The `appid` of the tokens: the client id of the identity or application. */
  readonly clientId?: string;
  /** The `oid` of the tokens: the object id of the identity. */
  readonly principalId?: string;
}

interface Identity {
  readonly clientId: string;
  readonly principalId: string;
  /** The serial number of the last token that was revoked together with all earlier ones. */
  revokedUpTo: number;
  /** The number of tokens that are not revoked. */
  valid: number;
}

/** Numbers the tokens, and knows which are revoked. */
export class Revocations {
  readonly #identities = new Map<string, Identity>();
  /** The identity of each token, by serial number from 1 on. */
  readonly #owners: (Identity | undefined)[] = [undefined];
  /** Tokens that were revoked one by one. */
  readonly #single = new Set<number>();

  /** Counts a new token. Returns its serial number, from 1 on. */
  issued(clientId: string, principalId: string): number {
    const key = JSON.stringify([clientId, principalId]);
    const identity = this.#identities.get(key) ?? { clientId, principalId, revokedUpTo: 0, valid: 0 };
    this.#identities.set(key, identity);
    identity.valid += 1;
    return this.#owners.push(identity) - 1;
  }

  has(serial: number): boolean {
    return serial <= (this.#owners[serial]?.revokedUpTo ?? 0) || this.#single.has(serial);
  }

  /** Revokes one token. Returns whether it exists and was not revoked. */
  revoke(serial: number): boolean {
    const identity = this.#owners[serial];
    if (!identity || this.has(serial)) return false;
    this.#single.add(serial);
    identity.valid -= 1;
    return true;
  }

  /**
   * Revokes the tokens of the selected identities. Returns how many were not revoked. Throws a
   * KeylessError `emulator/invalid-option`.
   */
  revokeAll(selection: TokenSelection): number {
    const { clientId, principalId, ...unknown } = selection;
    const [name] = Object.keys(unknown);
    if (
      name !== undefined ||
      [clientId, principalId].some((id) => id !== undefined && typeof id !== "string")
    ) {
      throw new KeylessError(
        "emulator/invalid-option",
        "Tokens are selected by `clientId` and `principalId`, which are strings.",
      );
    }
    let count = 0;
    for (const identity of this.#identities.values()) {
      if (clientId !== undefined && clientId !== identity.clientId) continue;
      if (principalId !== undefined && principalId !== identity.principalId) continue;
      count += identity.valid;
      identity.valid = 0;
      identity.revokedUpTo = this.#owners.length - 1;
    }
    return count;
  }
}
