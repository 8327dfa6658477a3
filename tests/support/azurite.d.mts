/** The folder of the package that has Azurite as its dependency. */
export const AZURITE_HOME: string;

/** Azurite, in a process of its own. */
export interface Azurite {
  port: number;
  /** The address of the account, without a slash at its end. */
  account: string;
  key: string;
  cert: string;
  /** For `NODE_EXTRA_CA_CERTS`. */
  certFile: string;
  stop(): Promise<void>;
}

/** Starts it in memory, with a certificate of its own. */
export function startAzurite(): Promise<Azurite>;

/** Creates a container. */
export function createContainer(azurite: Azurite, name: string): Promise<void>;

/** A token as Azurite wants it. */
export function storageToken(lifetimeSeconds?: number): string;
