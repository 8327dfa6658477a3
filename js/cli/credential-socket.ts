import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import type { FoundryProvider } from "copilot-keyless";

/** How long a running gateway may take to answer, in milliseconds: as long as a token may. */
const ANSWER_MS = 20_000;

/** The part of a provider that tells one token from another. */
type Audience = Pick<FoundryProvider, "endpoint" | "scope">;

/**
 * The socket of a gateway, which only its user may open: in a folder of the user's own, or a named
 * pipe on Windows. One for each endpoint and scope.
 */
function socketPath({ endpoint, scope }: Audience): string {
  const name = createHash("sha256").update(`${endpoint.baseUrl}\n${scope}`).digest("hex").slice(0, 16);
  if (process.platform === "win32") return `\\\\.\\pipe\\copilot-keyless-${userInfo().username}-${name}`;
  const folder = process.env.XDG_RUNTIME_DIR || join(tmpdir(), `copilot-keyless-${userInfo().uid}`);
  return join(folder, "copilot-keyless", `${name}.sock`);
}

/** Whether a file or folder is this user's, and closed to all others. */
function isPrivate(path: string): boolean {
  if (process.platform === "win32") return true;
  try {
    const { uid, mode } = lstatSync(path);
    return uid === userInfo().uid && (mode & 0o077) === 0;
  } catch {
    return false;
  }
}

/**
 * Serves the token on the socket, to `copilot-keyless credential`. Does nothing if another gateway
 * serves it, or if the folder is not the user's own. Returns a function that stops it.
 */
export async function serveCredential(provider: FoundryProvider): Promise<() => void> {
  const path = socketPath(provider);
  const isFile = process.platform !== "win32";
  if (isFile) {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    } catch {
      return () => {};
    }
    if (!isPrivate(dirname(path)) || (await answers(path))) return () => {};
    // Left behind by a gateway that was killed.
    rmSync(path, { force: true });
  }
  const server = createServer((socket) => {
    socket.on("error", () => {});
    provider.tokens().then(
      (token) => socket.end(`${token}\n`),
      () => socket.destroy(),
    );
  });
  const umask = isFile ? process.umask(0o077) : undefined;
  const listening = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(path, () => resolve(true));
    // The socket is created within `listen`.
    if (umask !== undefined) process.umask(umask);
  });
  server.unref();
  return () => {
    if (!listening) return;
    // Removes the socket, too.
    server.close();
  };
}

/** Returns the token of a running gateway; undefined if there is none, or it has no token. */
export async function runningGatewayToken(audience: Audience): Promise<string | undefined> {
  const path = socketPath(audience);
  if (process.platform !== "win32" && !(isPrivate(dirname(path)) && isPrivate(path))) return undefined;
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
