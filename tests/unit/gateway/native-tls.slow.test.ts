// The native gateway and resources behind TLS: certificates of an authority of one's own, and faults,
// which are told in the words of the npm gateway.

import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGateway } from "copilot-keyless/gateway";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { selfSigned } from "../../../js/emulator/certificate.js";
import { BUILD_MS, nativeGateways, nativeProgram } from "../../support/native-gateway.js";
import { gatewayTo, send, useGateways } from "./support.js";

const PATH = "/openai/v1/responses";

let program = "";
beforeAll(async () => {
  program = await nativeProgram();
}, BUILD_MS);
const native = nativeGateways(async () => program);
useGateways(native as never, "native");

/** Serves at `localhost`, and returns the endpoint. */
async function endpointOf(server: Server): Promise<string> {
  server.listen(0, "localhost");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `https://localhost:${(server.address() as AddressInfo).port}/openai/v1/`;
}

/** A resource with a certificate of this name, the certificate's file, and the connections it has had. */
async function secureResource(name: string) {
  const { key, cert } = selfSigned(name);
  const file = join(mkdtempSync(join(tmpdir(), "ck-tls-")), "cert.pem");
  writeFileSync(file, cert);
  const seen: (string | undefined)[] = [];
  const server = createServer({ key, cert }, (request, response) => {
    seen.push(request.headers.authorization);
    request.resume().once("end", () => response.end("over TLS"));
  });
  let connections = 0;
  server.on("secureConnection", () => {
    connections += 1;
  });
  const endpoint = await endpointOf(server);
  onTestFinished(() => server.closeAllConnections());
  return { endpoint, file, seen, connections: () => connections };
}

/** Sends a request, and returns what explains that there was no answer. */
async function explained(endpoint: string, SSL_CERT_FILE: string): Promise<string> {
  const { gateway, log } = await gatewayTo(endpoint, { env: { SSL_CERT_FILE } });
  const { status, body } = await send(gateway, PATH);
  const { code, message } = JSON.parse(body).error;
  expect([status, code]).toEqual([502, "model/network"]);
  await expect.poll(() => log).toMatchObject([{ status: 502, code: "model/network" }]);
  expect(body).not.toContain("token-of-the-tests");
  return message;
}

test("a resource whose certificate is in SSL_CERT_FILE is asked, on one connection", async () => {
  const { endpoint, file, seen, connections } = await secureResource("localhost");
  const { gateway } = await gatewayTo(endpoint, { env: { SSL_CERT_FILE: file } });
  for (let count = 0; count < 3; count += 1)
    expect(await send(gateway, PATH)).toMatchObject({ status: 200, body: "over TLS" });
  expect(seen).toEqual(Array(3).fill("Bearer token-of-the-tests"));
  expect(connections()).toBe(1);
});

test("a certificate that is not trusted gets no request, and is told as by the npm gateway", async () => {
  const { endpoint, seen } = await secureResource("localhost");
  const { file } = await secureResource("localhost");
  const told = await explained(endpoint, file);
  expect(told).toContain("its certificate is not trusted on this machine");
  expect(told).toContain("SSL_CERT_FILE=<file>.pem");
  const npm = await createGateway({ endpoint, env: {}, tokens: (async () => "t") as never });
  onTestFinished(() => npm.close());
  const { status, body } = await send(npm, PATH, "{}", { "api-key": npm.key });
  // The words of the library differ.
  const withoutWords = (text: string) => text.replace(/The network's message: .*/, "");
  expect([status, withoutWords(JSON.parse(body).error.message)]).toEqual([502, withoutWords(told)]);
  expect(seen).toEqual([]);
});

test("a certificate for another name", async () => {
  const { endpoint, file, seen } = await secureResource("other.example");
  expect(await explained(endpoint, file)).toContain("its certificate is for another name");
  expect(seen).toEqual([]);
});

test("a port without TLS, and one that closes the connection", async () => {
  const { file } = await secureResource("localhost");
  const plain = await endpointOf(
    createTcpServer((socket) => socket.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n")),
  );
  expect(await explained(plain, file)).toContain("it does not use TLS at this port");
  const closing = await endpointOf(createTcpServer((socket) => socket.destroy()));
  expect(await explained(closing, file)).toContain("the connection was cut");
});
