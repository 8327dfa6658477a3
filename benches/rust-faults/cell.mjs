// Plays one fault against one program: the servers run here, the program in a process of its own.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { startEmulator } from "copilot-keyless/emulator";
import { startFront, startRelay } from "./front.mjs";

/** Variables that would lead the program to a real identity. */
const FOREIGN = /^(AZURE_|IDENTITY_|MSI_|FOUNDRY_|OPENAI_|HTTPS?_PROXY|RUST)/i;

/** Returns how each call ended, and the number of requests to the identity endpoint. */
export async function runCell({ fault, client, tokens, binary, azurite, signal }) {
  const emulator = await startEmulator({
    tokenLifetimeSeconds: fault.lifetime,
    platformCache: false,
    chunkDelayMs: 0,
    audiences: ["https://ai.azure.com", "https://storage.azure.com"],
  });
  const add = (one) => emulator.faults.add({ server: "identity", times: Number.POSITIVE_INFINITY, ...one });
  for (const one of fault.faultsFirst ?? []) add(one);
  const front = await startFront({ azurite, foundryUrl: emulator.env.FOUNDRY_RESOURCE_URL });
  const relay = await startRelay(emulator.identity.port);
  const endpoint = new URL(emulator.env.IDENTITY_ENDPOINT);
  endpoint.port = String(relay.port);
  const own = Object.entries(process.env).filter(([key]) => !FOREIGN.test(key));
  const child = spawn(binary, [client, tokens, String(fault.seconds)], {
    env: {
      ...Object.fromEntries(own),
      ...emulator.env,
      IDENTITY_ENDPOINT: endpoint.href,
      RESOURCE_URL: front.url,
      SSL_CERT_FILE: azurite.certFile,
    },
    stdio: ["ignore", "pipe", "inherit"],
    signal,
    killSignal: "SIGKILL",
  });
  try {
    child.on("error", () => {});
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    if ((await lines.next()).done) throw new Error(`${client} with ${tokens} did not start`);
    const began = performance.now();
    const played = fault.script({
      front,
      relay,
      fault: add,
      until: (second) => sleep(Math.max(0, second * 1000 - (performance.now() - began))),
    });
    const { value } = await lines.next();
    await played;
    return { calls: JSON.parse(value).calls, identity: emulator.counts.identity };
  } finally {
    child.kill("SIGKILL");
    front.stop();
    await relay.close();
    await emulator.stop();
  }
}
