// `npm run functions -- --workers 3`: several workers of the Azure Functions app behind one
// address, one after another, with Azurite for their conversations. A worker that ends is started
// again.

import { existsSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { AZURITE_HOME, createContainer, startAzurite } from "../tests/support/azurite.mjs";
import { balance, keepRunning } from "../tests/support/function-workers.mjs";
import { root, runStep, StepError } from "./steps.mjs";

const PORT = 7071;

/** `withPackage` runs something with the environment of the emulator. */
export async function functionsWorkers(count, withPackage) {
  if (!(Number.isInteger(count) && count > 0 && count <= 20))
    throw new StepError("--workers takes a number from 1 to 20", "");
  await installAzurite();
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
    const workers = Array.from({ length: count }, (_, index) =>
      keepRunning(settings, {
        onStart: (pid) => console.log(`worker ${index + 1} has started: process ${pid}`),
        onEnd: (code) => console.log(`worker ${index + 1} has ended (${code ?? "killed"})`),
        onLine: (line) => console.log(`${index + 1}: ${line}`),
      }),
    );
    const balancer = await balance(workers, PORT);
    console.log(`${count} workers take turns; kill one with kill -9 and its number. Try:

  curl -N http://localhost:${PORT}/api/chat -H 'content-type: application/json' -d '{"prompt":"Hello"}'
  curl -N http://localhost:${PORT}/api/chat -H 'content-type: application/json' -d '{"prompt":"And now?","sessionId":"..."}'
`);
    await new Promise((end) => {
      for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end);
    });
    balancer.stop();
    await Promise.all(workers.map((worker) => worker.stop()));
    await azurite.stop();
    return 0;
  });
}

/** Installs Azurite, unless it is there. */
export async function installAzurite() {
  if (!existsSync(join(AZURITE_HOME, "node_modules/azurite")))
    await runStep("Azurite", "npm ci --no-audit", { cwd: AZURITE_HOME });
}

/** Lets the examples find this package in place of a release from npm. */
export function linkPackage() {
  const link = join(root, "node_modules/copilot-keyless");
  rmSync(link, { force: true, recursive: true });
  symlinkSync(root, link, "junction");
}
