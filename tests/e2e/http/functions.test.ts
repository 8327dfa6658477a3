// The quick run of the conformance suite. conformance.slow.test.ts has the other servers.

import { conforms } from "./suite.js";

await conforms("functions");
