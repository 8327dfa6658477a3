// A provider does not keep its process alive; each case runs in its own process.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, expect, test } from "vitest";
import { root } from "../../support/process.js";

const run = promisify(execFile);
const emulator = await startEmulator();
afterAll(() => emulator.stop());
const start = `
  import { createBearerTokenProvider } from "copilot-keyless";
  const hour = () => ({ token: "t", expiresOnTimestamp: Date.now() + 3_600_000 });
  let calls = 0;
`;

/** Runs a program. Returns how long it took to end after it printed `done`. */
async function ending(program: string, ...flags: string[]): Promise<number> {
  const script = `${start}${program}\nconst done = Date.now(); process.on("exit", () => console.log(Date.now() - done));`;
  const { stdout } = await run(process.execPath, [...flags, "--input-type=module", "-e", script], {
    cwd: root,
    timeout: 20_000,
    env: { ...process.env, ...emulator.env },
  });
  return Number(stdout);
}

test.each([true, false])("ends by itself with keepFresh: %s", async (keepFresh) => {
  const took = await ending(`
    const provider = createBearerTokenProvider({ getToken: async () => hour() }, "s", { keepFresh: ${keepFresh} });
    await provider();
  `);
  expect(took).toBeLessThan(1_000);
});

test("ends while a refresh in the background hangs", async () => {
  const took = await ending(`
    const credential = {
      getToken: () => ++calls === 1 ? Promise.resolve({ ...hour(), refreshAfterTimestamp: Date.now() + 1 }) : new Promise(() => {}),
    };
    const provider = createBearerTokenProvider(credential, "s", { policy: { jitterMs: 0 } });
    await provider();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await provider();
    if (calls !== 2) throw new Error("no refresh");
  `);
  expect(took).toBeLessThan(1_000);
});

test("stays alive while callers wait for a hanging credential", async () => {
  await ending(`
    const provider = createBearerTokenProvider({ getToken: () => new Promise(() => {}) }, "s", { policy: { waitTimeoutMs: 50 } });
    const error = await provider().catch((error) => error);
    if (error.code !== "token/timeout") throw error;
  `);
});

test("survives a refresh that fails while the token expires without callers", async () => {
  await ending(
    `
    const credential = {
      getToken: async () => {
        if (++calls > 1) throw new Error("away");
        return { token: "t", expiresOnTimestamp: Date.now() + 200 };
      },
    };
    const provider = createBearerTokenProvider(credential, "s", { keepFresh: true, policy: { retryMinMs: 20, retryMaxMs: 20 } });
    await provider();
    await new Promise((resolve) => setTimeout(resolve, 500));
    if (calls < 3 || provider.status.state !== "expired") throw new Error("not tested");
  `,
    "--unhandled-rejections=strict",
  );
});

test("ends although a request of @azure/identity hangs, which takes no signal", async () => {
  const hang = emulator.faults.add({ server: "identity", kind: "hang", times: Infinity });
  const took = await ending(`
    import { ManagedIdentityCredential } from "@azure/identity";
    const provider = createBearerTokenProvider(new ManagedIdentityCredential(), "https://ai.azure.com/.default", {
      policy: { waitTimeoutMs: 500 },
    });
    const error = await provider().catch((error) => error);
    if (error.code !== "credential/network") throw error;
  `);
  hang.remove();
  expect(took).toBeLessThan(1_000);
});
