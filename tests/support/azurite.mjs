// Starts Azurite, the emulator of Azure Storage, with a certificate of its own: it takes tokens over
// https only. Tests and `npm run tool functions -- --workers 3` use it.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const HOME = new URL("../e2e/blob-sessions/azurite/", import.meta.url).pathname;
const MAIN = join(HOME, "node_modules/azurite/dist/src/blob/main.js");

/** The folder of the package that has Azurite as its dependency. */
export const AZURITE_HOME = HOME;

/**
 * Starts it in memory. `certificate` is that of `localhost`. Resolves with the address of the account,
 * the file of the certificate for `NODE_EXTRA_CA_CERTS`, and the process.
 */
export async function startAzurite({ key, cert }) {
  if (!existsSync(MAIN)) throw new Error(`Run npm ci in ${HOME} first`);
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-azurite-"));
  const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  writeFileSync(keyFile, key, { mode: 0o600 });
  writeFileSync(certFile, cert);
  const options = ["--oauth", "basic", "--key", keyFile, "--cert", certFile, "--inMemoryPersistence"];
  const more = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--silent", "--disableTelemetry"];
  const args = [MAIN, ...options, ...more, "--skipApiVersionCheck"];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let said = "";
  const port = await new Promise((resolve, reject) => {
    const take = (chunk) => {
      said += chunk;
      const found = /listens on https:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (found) resolve(Number(found));
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    ended.then(() => reject(new Error(`Azurite has ended:\n${said}`)));
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  return { port, account: `https://localhost:${port}/devstoreaccount1`, certFile, child, stop };
}

/** A token as Azurite wants it: well-formed and for the storage. Nobody checks its signature. */
export function storageToken(lifetimeSeconds = 3_600) {
  const now = Math.floor(Date.now() / 1000);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    aud: "https://storage.azure.com",
    iss: "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
    iat: now - 5,
    nbf: now - 5,
    exp: now + lifetimeSeconds,
  };
  return `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.bm9uZQ`;
}
