// The conformance suite over every server that docs/guides/http-server.md names, and the edge handler.

import { describe } from "vitest";
import { keepsConversations } from "./chat.js";
import { replies } from "./replies.js";
import { requests } from "./requests.js";
import { resumption } from "./resumption.js";

for (const adapter of ["functions", "node", "express", "fastify", "hono", "fetch", "edge"]) {
  describe(adapter, async () => {
    // functions.test.ts is one of the quick tests.
    if (adapter !== "functions") await requests(adapter);
    await replies(adapter);
    // The edge handler keeps nothing.
    if (keepsConversations(adapter)) await resumption(adapter);
  });
}
