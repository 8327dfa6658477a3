// Tests the direct credential against a malicious identity endpoint.

import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { KeylessError } from "copilot-keyless";
import { createDirectCredential } from "copilot-keyless/direct";
import { expect, onTestFinished, test } from "vitest";

const SCOPE = "https://ai.azure.com/.default";
const SECRET = "c2VjcmV0LW9mLXRoZS1pZGVudGl0eS1lbmRwb2ludA";

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function credential(url: string) {
  const env = { IDENTITY_ENDPOINT: `${url}/msi/token`, IDENTITY_HEADER: SECRET };
  return createDirectCredential({ env, timeoutMs: 20_000 });
}

async function refusal(url: string): Promise<KeylessError> {
  const error = await credential(url)
    .getToken(SCOPE)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(KeylessError);
  expect(JSON.stringify([error, String((error as Error).stack)])).not.toContain(SECRET);
  return error as KeylessError;
}

test("a redirect is not followed: no other host sees the header that proves who asks", async () => {
  let stolen = 0;
  const other = await serve((_, response) => {
    stolen += 1;
    response.end("{}");
  });
  const seen: unknown[] = [];
  const url = await serve((request, response) => {
    seen.push(request.headers["x-identity-header"]);
    response.writeHead(307, { location: `${other}/take` }).end();
  });
  const { code, message, hint } = await refusal(url);
  expect([code, message]).toEqual([
    "credential/refused",
    "The identity endpoint rejected the request with HTTP 307",
  ]);
  expect(hint).toContain("a sign-in page of the network");
  expect(seen).toContain(SECRET);
  expect(stolen).toBe(0);
});

test("an answer without end is given up before it fills the memory", async () => {
  let sent = 0;
  const url = await serve((_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const piece = `{"access_token":"${"x".repeat(65_536)}`;
    const more = () => {
      while (!response.destroyed) {
        sent += piece.length;
        if (!response.write(piece)) break;
      }
    };
    response.on("drain", more);
    more();
  });
  await refusal(url);
  // Includes bytes in the kernel's buffers.
  expect(sent).toBeLessThan(64 * 1024 * 1024);
});

test("what it says is told without the secret that it was sent", async () => {
  const url = await serve((request, response) => {
    response.writeHead(400, { "content-type": "application/json" });
    response.end(
      JSON.stringify({
        error: "invalid",
        error_description: `You sent ${request.headers["x-identity-header"]}`,
      }),
    );
  });
  const { code, message } = await refusal(url);
  expect(code).toBe("credential/refused");
  expect(message).not.toContain(SECRET);
});
