// Tests the options of createGateway: what is refused, and what they change.

import { chmodSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KeylessError } from "copilot-keyless";
import type { GatewayOptions } from "copilot-keyless/gateway";
import { expect, test } from "vitest";
import { gatewayTo, KEY, raw, resource, send } from "./support.js";

const isPosix = process.platform !== "win32";
const ENDPOINT = "http://127.0.0.1:9/openai/v1/";

test.each<[string, GatewayOptions, RegExp]>([
  ["an unknown option", { prot: 1 } as GatewayOptions, /no option prot/],
  ["a port that is none", { port: 65_536 }, /port must be/],
  ["an address for all without names", { host: "0.0.0.0" }, /allowHosts is empty/],
  ["a short key", { key: "short" }, /16 to 512/],
  ["a key that no header carries", { key: "a key with white space" }, /visible ASCII/],
  ["two keys", { key: KEY, keyFile: "key" }, /exclude each other/],
  ["an unknown limit", { limits: { requests: 1 } as object }, /limits\.requests does not exist/],
  ["a limit that is none", { limits: { idleMs: 0 } }, /limits\.idleMs must be/],
  ["hosts that are no list", { allowHosts: "a" as never }, /allowHosts must be/],
])("%s is refused", async (_name, options, message) => {
  const given = { key: undefined, ...options };
  const error = await gatewayTo(ENDPOINT, given).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(KeylessError);
  expect(error).toMatchObject({ code: "gateway/invalid-option", message: expect.stringMatching(message) });
});

test("a wrong endpoint is refused by its own code", async () => {
  await expect(gatewayTo("https://<name>.openai.azure.com")).rejects.toMatchObject({
    code: "endpoint/placeholder",
  });
});

test.runIf(isPosix)(
  "a key file that others can read is refused, and a link; the hint has the command",
  async () => {
    const file = join(mkdtempSync(join(tmpdir(), "ck-key-")), "my key");
    const open = (keyFile: string) => gatewayTo(ENDPOINT, { key: undefined, keyFile });
    writeFileSync(file, KEY);
    chmodSync(file, 0o644);
    const refused = { code: "gateway/key-file", hint: expect.stringContaining(`chmod 600 '${file}'`) };
    await expect(open(file)).rejects.toMatchObject(refused);
    chmodSync(file, 0o600);
    expect((await open(file)).gateway.key).toBe(KEY);
    symlinkSync(file, `${file}.link`);
    await expect(open(`${file}.link`)).rejects.toMatchObject({ code: "gateway/key-file" });
  },
);

test("every start has another key of 256 bits", async () => {
  const keys = await Promise.all(
    [1, 2].map(async () => (await gatewayTo(ENDPOINT, { key: undefined })).gateway.key),
  );
  expect(new Set(keys).size).toBe(2);
  for (const key of keys) expect(key).toMatch(/^ckg-[\w-]{43}$/);
});

test("further hosts and origins, headers of the options, and a log that throws", async () => {
  const endpoint = await resource((request, response) => response.end(request.headers["x-team"]));
  const { gateway } = await gatewayTo(endpoint, {
    host: "0.0.0.0",
    allowHosts: ["gateway.internal"],
    allowOrigins: ["https://app.example"],
    headers: { "X-Team": "one" },
    onAccess: () => {
      throw new Error("the log is full");
    },
  });
  const lines = ["GET /v1/models HTTP/1.1", "Host: gateway.internal:80", "Origin: https://app.example"];
  const request = [...lines, `api-key: ${KEY}`, "Connection: close"].join("\r\n");
  expect(await raw(gateway, `${request}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200[\s\S]*one$/);
  expect((await send(gateway, "/v1/responses")).body).toBe("one");
});

test("close() twice closes once", async () => {
  const { gateway } = await gatewayTo(ENDPOINT);
  expect(gateway.close()).toBe(gateway.close());
  await gateway.close();
  await expect(send(gateway, "/v1/responses")).rejects.toThrow(/ECONNREFUSED/);
});
