// The conformance suite over every server that docs/guides/http-server.md names, and the edge handler.

import { describe } from "vitest";
import { conforms } from "./suite.js";

// All start together; the suites run one after another, each with an emulator and servers of its own.
for (const adapter of ["node", "express", "fastify", "hono", "fetch", "edge"])
  describe(adapter, () => conforms(adapter));
