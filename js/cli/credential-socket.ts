import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import type { FoundryProvider } from "copilot-keyless";
import { isPrivate, ownUid } from "../platform/private-file.js";

/** How long a running gateway may take to answer, in milliseconds: as long as a token may. */
const ANSWER_MS = 20_000;

/** The part of a provider that tells one token from another. */
type Audience = Pick<FoundryProvider, "endpoint" | "scope" | "credential">;

/** What a token is for, and whose it is: tokens of the same text are interchangeable. */
export function audienceOf({ endpoint, scope, credential }: Audience): string {
  const { kind, clientId, tenantId } = credential;
  return JSON.stringify([endpoint.baseUrl, scope, kind, clientId, tenantId]);
}

/**
 * The socket of a gateway, in a folder of the user's own: one for each audience. Undefined on
 * Windows, where Node opens a named pipe to every user of the machine.
 */
export function socketPath(
  audience: Audience,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  if (platform === "win32") return undefined;
  const name = createHash("sha256").update(audienceOf(audience)).digest("hex").slice(0, 16);
  // One level: a folder in between could be another user's.
  return join(process.env.XDG_RUNTIME_DIR || tmpdir(), `copilot-keyless-${ownUid()}`, `${name}.sock`);
}

/** Whether the folder of a socket is one, no link to one, this user's, and closed to all others. */
export function isPrivateFolder(path: string, own?: number): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isDirectory() === true && isPrivate(stats, own);
}

/**
 * Serves the token on the socket, to `copilot-keyless credential`. Does nothing on Windows, if
 * another gateway serves it, or if the folder is not the user's own. Returns a function that stops
 * it.
 */
export async function serveCredential(
  provider: FoundryProvider,
  platform: NodeJS.Platform = process.platform,
): Promise<() => void> {
  const path = socketPath(provider, platform);
  if (path === undefined) return () => {};
  try {
    mkdirSync(dirname(path), { mode: 0o700 });
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EEXIST") return () => {};
  }
  if (!isPrivateFolder(dirname(path)) || (await answers(path))) return () => {};
  // Left behind by a gateway that was killed.
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    socket.on("error", () => {});
    provider.tokens().then(
      (token) => socket.end(`${token}\n`),
      () => socket.destroy(),
    );
  });
  const umask = process.umask(0o077);
  const listening = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(path, () => resolve(true));
    // The socket is created within `listen`.
    process.umask(umask);
  });
  server.unref();
  return () => {
    if (!listening) return;
    // Removes the socket, too.
    server.close();
  };
}

/**
 * Returns the token of a running gateway; undefined if there is none, or it has no token, and on
 * Windows.
 */
export async function runningGatewayToken(
  audience: Audience,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  const path = socketPath(audience, platform);
  if (path === undefined || !isPrivateFolder(dirname(path))) return undefined;
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats?.isSocket() || !isPrivate(stats)) return undefined;
  const token = (await ask(path))?.trim();
  return token ? token : undefined;
}

async function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (found: boolean) => {
      socket.destroy();
      resolve(found);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });
}

async function ask(path: string): Promise<string | undefined> {
  const socket = connect(path);
  socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error("timeout")));
  try {
    return await text(socket);
  } catch {
    return undefined;
  }
}
