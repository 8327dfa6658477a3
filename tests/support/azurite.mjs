// Starts Azurite, the emulator of Azure Storage, with a certificate of its own: it takes tokens over
// https only. Tests and `npm run functions -- --workers 3` use it.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const HOME = fileURLToPath(new URL("../e2e/blob-sessions/azurite/", import.meta.url));
const MAIN = join(HOME, "node_modules/azurite/dist/src/blob/main.js");

/** The folder of the package that has Azurite as its dependency. */
export const AZURITE_HOME = HOME;

/** A certificate of `localhost`, as the emulator makes them. */
async function certificate() {
  const { transform } = await import("esbuild");
  const source = new URL("../../js/emulator/certificate.ts", import.meta.url);
  const { code } = await transform(readFileSync(source, "utf8"), { loader: "ts" });
  const { selfSigned } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  return selfSigned("localhost");
}

/**
 * Starts it in memory. Resolves with the address of the account, the certificate and its file for
 * `NODE_EXTRA_CA_CERTS`, and how to stop it.
 */
export async function startAzurite() {
  const { key, cert } = await certificate();
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
  return { port, account: `https://localhost:${port}/devstoreaccount1`, key, cert, certFile, stop };
}

/** Creates a container. */
export async function createContainer({ port, cert }, name) {
  const headers = {
    authorization: `Bearer ${storageToken()}`,
    "x-ms-version": "2024-11-04",
    "x-ms-date": new Date().toUTCString(),
    "content-length": 0,
  };
  const path = `/devstoreaccount1/${name}?restype=container`;
  const status = await new Promise((resolve, reject) => {
    request({ host: "localhost", port, path, method: "PUT", ca: cert, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on("error", reject)
      .end();
  });
  if (status !== 201) throw new Error(`Azurite did not create the container ${name}: ${status}`);
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
