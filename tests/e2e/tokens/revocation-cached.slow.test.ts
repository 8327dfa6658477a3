// Azure's platform by default: it returns a revoked token again, and has no renewals.

import { revocationTests } from "./revocation.js";

await revocationTests(
  {},
  {
    // A refused renewal, and the ordinary request.
    default: ["rejected", 2],
    direct: ["rejected", 2],
    ManagedIdentityCredential: ["rejected", 0],
    DefaultAzureCredential: ["rejected", 0],
  },
);
