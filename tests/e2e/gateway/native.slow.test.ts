// Runs the tests of the command `gateway` on the native program.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { BUILD_MS, nativeProgram } from "../../support/native-gateway.js";
import { newcomer } from "../../support/process.js";
import { faults } from "../../unit/cli/gateway-config-faults.js";
import { expectTold } from "../cli/support.js";
import { gateway, useProgram } from "./support.js";

beforeAll(async () => {
  useProgram(await nativeProgram());
}, BUILD_MS);

await import("./gateway.slow.test.js");
await import("./config.slow.test.js");

test.each(faults)("a file with a fault is told as by the npm gateway: %j", async (...fault) => {
  const [text, message, hint, name = "f.toml"] = fault;
  const file = join(mkdtempSync(join(tmpdir(), "ck-fault-")), name);
  writeFileSync(file, text);
  const result = await gateway(["--config", file], newcomer());
  expectTold(result, "gateway/config");
  expect(result.stderr).toContain(message);
  expect(result.stderr).toContain(hint);
});
