// Runs the tests of the gateway on the native one, which is a process for each of its gateways.

import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { BUILD_MS, nativeGateways, nativeProgram } from "../../support/native-gateway.js";
import { useGateways } from "./support.js";

/** Tests that are about `createGateway`, and why. */
const NOT_NATIVE: Record<string, string> = {
  "a claims challenge is answered with a token that has the claims":
    "a process takes no credential object; the identity of a host takes no claims",
  "a gateway that is logged does not show its key": "about the object that createGateway returns",
  "pipelined requests whose connection goes away do not stay active, and refused ones never count":
    "hyper answers the requests of a connection one after another",
  "a reason phrase that cannot be sent is not passed on": "hyper does not read such an answer: a 502",
  "an unknown option is refused": "the file's schema is the check: gateway-config.test.ts",
  "a port that is none is refused": "the file's schema",
  "an unknown limit is refused": "the file's schema",
  "a limit that is none is refused": "the file's schema",
  "hosts that are no list is refused": "the file's schema",
  "two keys is refused": "a file has no key but keyFile",
  "a short key is refused": "gateway/key-file by way of the harness; commands.slow.test.ts has the variable",
  "a key that no header carries is refused": "as above",
};
const met = new Set<string>();

let program = "";
beforeAll(async () => {
  program = await nativeProgram();
}, BUILD_MS);
useGateways(nativeGateways(async () => program) as never, "native");

beforeEach(({ task, skip }) => {
  const reason = NOT_NATIVE[task.name];
  if (reason === undefined) return;
  met.add(task.name);
  skip(reason);
});
afterAll(() => {
  expect([...met].toSorted(), "a test of the list does not exist").toEqual(
    Object.keys(NOT_NATIVE).toSorted(),
  );
});

await import("./gateway.test.js");
await import("./attacks.slow.test.js");
await import("./streams.slow.test.js");
await import("./backends.test.js");
await import("./options.test.js");
