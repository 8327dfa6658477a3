import type { ContainerClient } from "@azure/storage-blob";

/** What all turns of a store share. */
export interface StoreSettings {
  /** The client of the container. Imports the library at the first call. */
  container(): Promise<ContainerClient>;
  leaseMs: number;
  expireAfterMs: number | undefined;
  /** How many blocks a log may have before it is rolled over. */
  blocksPerLog: number;
}
