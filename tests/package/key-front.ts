// A resource that takes an API key. The emulator, like a resource whose keys are switched off,
// refuses every key, so this server stands in front of it and replaces a known key by a token.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { createDirectCredential } from "copilot-keyless/direct";
import type { Emulator } from "copilot-keyless/emulator";

const KEY = "the-key-of-this-resource";

/** Starts the server. `env` leads a program to it, with the key and without an identity. */
export async function startKeyFront(emulator: Emulator) {
  const credential = createDirectCredential({ env: emulator.env });
  const server = createServer(async (request, response) => {
    const { authorization, "api-key": key, "content-type": type = "" } = request.headers;
    if (key !== KEY && authorization !== `Bearer ${KEY}`) {
      response.writeHead(401).end();
      return;
    }
    const token = await credential.getToken("https://ai.azure.com/.default");
    const answer = await fetch(new URL(request.url ?? "/", emulator.foundry.url), {
      method: request.method ?? "GET",
      headers: { "content-type": type, authorization: `Bearer ${token?.token}` },
      body: Buffer.concat(await request.toArray()),
    });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    await pipeline(Readable.fromWeb(answer.body as ReadableStream), response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    env: { FOUNDRY_RESOURCE_URL: url, AZURE_OPENAI_ENDPOINT: url, AZURE_OPENAI_API_KEY: KEY },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
