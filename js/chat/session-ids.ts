import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The session that a caller's id stands for. */
export interface SessionName {
  /** The runtime's id of the session. */
  id: string;
  model: string;
}

/**
 * Encrypts session ids for callers, so that nobody learns the runtime's id, invents one, or uses
 * another caller's. Without a secret the key is random and lasts as long as the worker.
 */
export class SessionIds {
  readonly #key: Buffer;

  constructor(secret: string | undefined) {
    this.#key =
      secret === undefined
        ? randomBytes(32)
        : createHash("sha256").update(`copilot-keyless session ids\0${secret}`).digest();
  }

  seal({ id, model }: SessionName, caller: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(caller));
    const sealed = cipher.update(JSON.stringify([id, model]));
    return Buffer.concat([nonce, sealed, cipher.final(), cipher.getAuthTag()]).toString("base64url");
  }

  /**
   * Returns undefined for an id that was invented, changed, or sealed with another key or for
   * another caller.
   */
  open(sealed: string, caller: string): SessionName | undefined {
    const bytes = Buffer.from(sealed, "base64url");
    if (bytes.length <= NONCE_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(caller));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const text = Buffer.concat([
        decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)),
        decipher.final(),
      ]).toString();
      const [id, model] = JSON.parse(text) as [string, string];
      return { id, model };
    } catch {
      return undefined;
    }
  }
}
