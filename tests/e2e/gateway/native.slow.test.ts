// Runs the tests of the command `gateway` on the native program.

import { beforeAll } from "vitest";
import { BUILD_MS, nativeProgram } from "../../support/native-gateway.js";
import { useProgram } from "./support.js";

beforeAll(async () => {
  useProgram(await nativeProgram());
}, BUILD_MS);

await import("./gateway.slow.test.js");
await import("./config.slow.test.js");
