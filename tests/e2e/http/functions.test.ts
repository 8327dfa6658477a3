// The quick part of the conformance suite: requests to the Functions handler.

import { requests } from "./requests.js";

await requests("functions");
