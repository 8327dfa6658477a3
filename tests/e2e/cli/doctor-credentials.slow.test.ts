// `copilot-keyless doctor` compares the managed identity's credential of @azure/identity with the
// direct one.

import { type Emulator, type Fault, type FaultRequest, startEmulator } from "copilot-keyless/emulator";
import { afterEach, expect, test } from "vitest";
import { newcomer } from "../../support/process.js";
import { cli, expectClean } from "./support.js";

let emulator: Emulator | undefined;
afterEach(() => emulator?.stop());

/** MSAL sends a content type with its GET, the direct credential does not. */
const ofMsal = ({ headers }: FaultRequest) => headers["content-type"] !== undefined;
const ofDirect = (request: FaultRequest) => !ofMsal(request);

async function doctor(fault: Partial<Fault>) {
  emulator = await startEmulator();
  emulator.faults.add({ server: "identity", times: Number.POSITIVE_INFINITY, ...fault } as Fault);
  const result = await cli(["doctor"], newcomer({ ...emulator.env }));
  expectClean(result);
  return result;
}

test("the library fails, and the direct credential takes over: a warning, and the turn is answered", async () => {
  const { code, stdout } = await doctor({ match: ofMsal, kind: "body", body: "<html>" });
  expect(stdout).toMatch(/^! token .*managed-identity: id-emulator/m);
  expect(stdout).toMatch(
    /^ {2}! @azure\/identity failed \(.*Use it: credential: "direct".*default-credential-failed/m,
  );
  expect(stdout).toMatch(/^✓ turn/m);
  expect(code).toBe(0);
});

test("the library is refused, and the direct credential is not: the error says so", async () => {
  const { code, stdout } = await doctor({ match: ofMsal, kind: "status", status: 400 });
  expect(stdout).toMatch(/^✗ credential\/refused {2}The direct credential gets a token of this identity/m);
  expect(code).toBe(1);
});

test("the direct credential alone fails: a warning", async () => {
  const { code, stdout } = await doctor({ match: ofDirect, kind: "status", status: 403 });
  expect(stdout).toMatch(/^ {2}! The direct credential got no token, unlike @azure\/identity: .*403/m);
  expect(code).toBe(0);
});

test("the direct credential gets another identity: a warning", async () => {
  const { code, stdout } = await doctor({
    match: ofDirect,
    kind: "body",
    // An unsigned token of another principal.
    body: {
      access_token: `${btoa('{"alg":"none"}')}.${btoa('{"oid":"other","exp":4000000000}')}.c2ln`,
      expires_in: 3600,
    },
  });
  expect(stdout).toMatch(/another identity: .*credentials-differ/m);
  expect(code).toBe(0);
});
