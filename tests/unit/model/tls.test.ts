// A real TLS server with a certificate of its own: the diagnosis names the ways to trust it.

import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { probe } from "copilot-keyless/direct";
import { expect, test } from "vitest";
import { selfSigned } from "../../../js/emulator/certificate.js";

test("a certificate that nobody signed names NODE_EXTRA_CA_CERTS and the system's store", async () => {
  const { key, cert } = selfSigned("localhost");
  const server = createServer({ key, cert }, (_request, response) => response.end("{}")).listen(
    0,
    "localhost",
  );
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const diagnosis = await probe({ endpoint: `https://localhost:${port}/v1`, model: "gpt-5.5", token: "a.b" });
  server.closeAllConnections();
  server.close();
  expect(diagnosis).toMatchObject({ code: "network", cause: expect.stringContaining("is not trusted") });
  expect(diagnosis.fixes.join("\n")).toMatch(
    /NODE_EXTRA_CA_CERTS=<file>\.pem\nexport NODE_OPTIONS=--use-system-ca/,
  );
});
