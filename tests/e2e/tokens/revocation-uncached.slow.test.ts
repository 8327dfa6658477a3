// A platform without a cache: every request brings a new token.

import { revocationTests } from "./revocation.js";

await revocationTests(
  { platformCache: false },
  {
    // A refused renewal, and the ordinary request.
    default: ["served", 2],
    direct: ["served", 2],
    ManagedIdentityCredential: ["rejected", 0],
    DefaultAzureCredential: ["rejected", 0],
  },
);
