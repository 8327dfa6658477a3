// The handler detects callers that disconnect or stall. Uses real connections, as in the Functions
// host.

import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect, test } from "vitest";
import { type Connection, connectionOf, trackConnections } from "../../../js/functions/connection.js";

trackConnections();
const server = createServer();
server.listen(0, "127.0.0.1");
await once(server, "listening");
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Starts an invocation whose response has begun, and whose caller does not read yet. */
async function begin(
  id: string,
): Promise<{ connection: Connection; worker: ServerResponse; host: IncomingMessage }> {
  const { port } = server.address() as AddressInfo;
  const sent = request({ port, host: "127.0.0.1", headers: { "x-ms-invocation-id": id } });
  sent.on("error", () => {});
  sent.end();
  const [, worker] = (await once(server, "request")) as [IncomingMessage, ServerResponse];
  const connection = connectionOf(id);
  if (!connection) throw new Error("The connection was not noticed");
  worker.flushHeaders();
  const [host] = (await once(sent, "response")) as [IncomingMessage];
  host.on("error", () => {});
  return { connection, worker, host };
}

/** Writes until the system's buffers stay full. */
async function fill(worker: ServerResponse): Promise<void> {
  const chunk = Buffer.alloc(1_000_000);
  for (let count = 0; count < 100 && !worker.writableNeedDrain; count += 1) {
    worker.write(chunk);
    for (let wait = 0; wait < 20 && worker.writableNeedDrain; wait += 1)
      await new Promise((next) => setTimeout(next, 10));
  }
  expect(worker.writableNeedDrain).toBe(true);
}

test("an unknown invocation has no connection, and one that is over has none any more", async () => {
  expect(connectionOf("nobody")).toBeUndefined();
  const { connection, worker, host } = await begin("over");
  host.resume();
  worker.end("done");
  await once(worker, "close");
  expect(connectionOf("over")).toBeUndefined();
  expect(connection.signal.aborted).toBe(false);
});

test("a caller that disconnects is detected", async () => {
  const { connection, worker, host } = await begin("leaves");
  worker.write("a beginning");
  host.destroy();
  await once(connection.signal, "abort");
  await connection.ready(10);
});

test("the handler waits for a slow reader", async () => {
  const { connection, worker, host } = await begin("slow");
  await connection.ready(1);
  await fill(worker);
  setTimeout(() => host.resume(), 300);
  await connection.ready(20_000);
  expect(worker.writableNeedDrain).toBe(false);
  expect(connection.signal.aborted).toBe(false);
});

test("who reads nothing is cut off", async () => {
  const { connection, worker } = await begin("stalls");
  await fill(worker);
  await expect(connection.ready(200)).rejects.toMatchObject({ code: "chat/slow-reader" });
  expect(worker.destroyed).toBe(true);
});

test("a slow reader that disconnects ends the wait", async () => {
  const { connection, worker, host } = await begin("leaves while waited for");
  await fill(worker);
  setTimeout(() => host.destroy(), 100);
  await connection.ready(20_000);
  expect(connection.signal.aborted).toBe(true);
});
