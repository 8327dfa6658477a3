// Deadlines and aborts survive garbage collection. tests/runtimes/deadlines.slow.test.ts tests
// other runtimes.

import { testDeadlines } from "../support/deadlines.js";

testDeadlines(process.execPath);
