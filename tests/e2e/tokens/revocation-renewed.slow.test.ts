// A platform with a cache that answers api-version 2025-03-30: it renews a revoked token.

import { revocationTests } from "./revocation.js";

await revocationTests(
  { tokenRevocation: true },
  {
    default: ["served", 1],
    direct: ["served", 1],
    ManagedIdentityCredential: ["rejected", 0],
    DefaultAzureCredential: ["rejected", 0],
  },
);
