// Deadlines and aborts do not depend on what a garbage collection leaves. tests/runtimes/deadlines.slow.test.ts runs the same in other runtimes.

import { testDeadlines } from "../support/deadlines.js";

testDeadlines(process.execPath);
