// `npm run tool functions -- --workers 3`: several workers of the Azure Functions app behind one
// address, one after another, with Azurite for their conversations. A worker that ends is started
// again.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { AZURITE_HOME, createContainer, startAzurite } from "../tests/support/azurite.mjs";
import { root, runStep, StepError } from "./steps.mjs";

const PORT = 7071;
const APP = join(root, "examples/azure-functions");

/** `withPackage` runs something with the environment of the emulator. */
export async function functionsWorkers(count, withPackage) {
  if (!(Number.isInteger(count) && count > 0 && count <= 20))
    throw new StepError("--workers takes a number from 1 to 20", "");
  if (!existsSync(join(AZURITE_HOME, "node_modules")))
    await runStep("Azurite", "npm ci --no-audit", { cwd: AZURITE_HOME });
  return withPackage(async (env) => {
    const azurite = await startAzurite();
    await createContainer(azurite, "conversations");
    const settings = {
      ...process.env,
      ...env,
      AZURE_FUNCTIONS_ENVIRONMENT: "Development",
      CONVERSATIONS_ACCOUNT: azurite.account,
      CONVERSATIONS_CONTAINER: "conversations",
      NODE_EXTRA_CA_CERTS: azurite.certFile,
    };
    const workers = Array.from({ length: count }, (_, index) => keepRunning(index + 1, settings));
    const balancer = await balance(workers);
    console.log(`${count} workers take turns; kill one with kill -9 and its number. Try:

  curl -N http://localhost:${PORT}/api/chat -H 'content-type: application/json' -d '{"prompt":"Hello"}'
  curl -N http://localhost:${PORT}/api/chat -H 'content-type: application/json' -d '{"prompt":"And now?","sessionId":"..."}'
`);
    await new Promise((end) => {
      for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end);
    });
    balancer.close();
    balancer.closeAllConnections();
    await Promise.all(workers.map((worker) => worker.stop()));
    await azurite.stop();
    return 0;
  });
}

/** Runs a worker, again when it ends. `port` is undefined while it starts. */
function keepRunning(number, env) {
  const worker = { port: undefined, stop: async () => {} };
  const start = () => {
    const host = [join(root, "scripts/functions-host.mjs"), APP, "0"];
    const child = spawn(process.execPath, host, { env, stdio: ["ignore", "pipe", "inherit"] });
    const ended = new Promise((resolve) => child.once("close", resolve));
    let stopping = false;
    worker.stop = () => {
      stopping = true;
      child.kill("SIGTERM");
      return ended;
    };
    child.stdout.on("data", (chunk) => {
      const found = /^listening http:\/\/127\.0\.0\.1:(\d+)/m.exec(String(chunk))?.[1];
      if (found === undefined) return void process.stdout.write(`${number}: ${chunk}`);
      worker.port = Number(found);
      console.log(`worker ${number} has started: process ${child.pid}`);
    });
    ended.then((code) => {
      worker.port = undefined;
      if (stopping) return;
      console.log(`worker ${number} has ended (${code ?? "killed"})`);
      start();
    });
  };
  start();
  return worker;
}

/** Sends each request to the next worker that runs. */
async function balance(workers) {
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const running = workers.filter(({ port }) => port !== undefined);
    const worker = running[turn++ % running.length];
    if (!worker) return void outgoing.writeHead(503, { "retry-after": 1 }).end();
    const { method, url, headers } = incoming;
    const forwarded = request({ host: "127.0.0.1", port: worker.port, method, path: url, headers });
    forwarded.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.on("error", () => outgoing.destroy()).pipe(outgoing);
    });
    // A worker that was killed cuts its answers.
    forwarded.on("error", () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
    outgoing.on("close", () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise((listening, fail) => server.once("error", fail).listen(PORT, "127.0.0.1", listening));
  return server;
}
