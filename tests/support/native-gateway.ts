// Starts the native gateway as a process, with the options of `createGateway`: what is plain data goes
// into its file, tokens and credentials of a test are served as the identity of the host.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { KeylessError } from "copilot-keyless";
import type { GatewayAccess, GatewayBackend, GatewayOptions } from "copilot-keyless/gateway";
import { root } from "./process.js";

/** How long a build may take that starts from nothing. */
export const BUILD_MS = 600_000;

const FOLDER = join(root, "crates/gateway");
const HEADER = "identity-header-of-the-tests";
const SCOPE = "https://ai.azure.com/.default";

/** The program: that of GATEWAY_PROGRAM, or a debug build. */
export async function nativeProgram(): Promise<string> {
  const { GATEWAY_PROGRAM } = process.env;
  if (GATEWAY_PROGRAM !== undefined) return GATEWAY_PROGRAM;
  const args = ["build", "--locked", "--quiet", "--manifest-path", join(FOLDER, "Cargo.toml")];
  await promisify(execFile)("cargo", args, { timeout: BUILD_MS });
  return join(FOLDER, "target/debug/copilot-keyless-gateway");
}

/** A gateway in a process. */
export interface NativeGateway {
  readonly url: string;
  readonly port: number;
  readonly key: string;
  /** As of the last look: each starts another one. */
  readonly active: number;
  /** The process's id. */
  readonly pid: number | undefined;
  states(): Promise<{ name: string; pausedMs: number }[]>;
  reload(options: GatewayOptions): Promise<void>;
  close(): Promise<void>;
}

/** Returns a function like `createGateway`. */
export function nativeGateways(program: () => Promise<string>) {
  return async (options: GatewayOptions): Promise<NativeGateway> => {
    const started = new Process(await program());
    await started.start(options);
    return started;
  };
}

class Process implements NativeGateway {
  url = "";
  key = "";
  readonly #program: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "ck-native-"));
  readonly #identities: Server[] = [];
  #child: ChildProcess | undefined;
  #closing: Promise<void> | undefined;
  #onAccess: GatewayOptions["onAccess"];
  #active = 0;
  /** Wait for a line of the log that is no entry. */
  readonly #waiting: { fits: (line: string) => boolean; resolve: (line: string) => void }[] = [];

  constructor(program: string) {
    this.#program = program;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get active(): number {
    this.#child?.kill("SIGUSR1");
    return this.#active;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(options: GatewayOptions): Promise<void> {
    await this.#write(options);
    const env = { PATH: process.env.PATH ?? "", ...(options.env as Record<string, string>) };
    const args = ["--json", "--config", this.#config];
    const child = spawn(this.#program, args, { env: { ...env, ...(await this.#identity(options)) } });
    this.#child = child;
    let told = "";
    createInterface({ input: child.stderr }).on("line", (line) => {
      told += `${line}\n`;
      this.#read(line);
    });
    const ended = once(child, "close").then(() => {
      throw errorOf(told);
    });
    ended.catch(() => {});
    try {
      const [line] = (await Promise.race([once(createInterface(child.stdout), "line"), ended])) as [string];
      Object.assign(this, JSON.parse(line) as { url: string; key: string });
    } catch (error) {
      this.#cleanUp();
      throw error;
    }
  }

  get #config(): string {
    return join(this.#folder, "gateway.json");
  }

  async states(): Promise<{ name: string; pausedMs: number }[]> {
    const told = this.#line((line) => line.startsWith('{"active":'));
    this.#child?.kill("SIGUSR1");
    return JSON.parse(await told).backends;
  }

  async reload(options: GatewayOptions): Promise<void> {
    await this.#write(options);
    const told = this.#line((line) => line.startsWith('{"reloaded":') || line.startsWith("✗ "));
    this.#child?.kill("SIGHUP");
    const line = await told;
    if (line.startsWith("✗ ")) throw errorOf(line);
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      const child = this.#child as ChildProcess;
      const ended = child.exitCode === null ? once(child, "close") : undefined;
      child.kill("SIGTERM");
      await ended;
      this.#cleanUp();
      if (child.exitCode !== 0)
        throw new Error(`The gateway ended with ${child.exitCode ?? child.signalCode}`);
    })();
    return this.#closing;
  }

  #cleanUp(): void {
    for (const server of this.#identities) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #read(line: string): void {
    const at = this.#waiting.findIndex(({ fits }) => fits(line));
    if (at >= 0) this.#waiting.splice(at, 1)[0]?.resolve(line);
    if (line.startsWith('{"active":')) this.#active = JSON.parse(line).active;
    if (!line.startsWith('{"at":')) return;
    try {
      this.#onAccess?.(JSON.parse(line) as GatewayAccess);
    } catch {
      // As in the other gateway.
    }
  }

  #line(fits: (line: string) => boolean): Promise<string> {
    return new Promise((resolve) => this.#waiting.push({ fits, resolve }));
  }

  /** Writes the settings that are plain data. */
  async #write(options: GatewayOptions): Promise<void> {
    const {
      onAccess,
      key,
      keyFile,
      tokens: _,
      credential: _1,
      env: _2,
      backends,
      limits,
      ...plain
    } = options;
    if (onAccess !== undefined) this.#onAccess = onAccess;
    const ownKey = join(this.#folder, "key");
    if (key !== undefined) writeFileSync(ownKey, `${key}\n`, { mode: 0o600 });
    const file = keyFile ?? (key === undefined && this.key === "" ? undefined : ownKey);
    const all = backends && (await Promise.all(backends.map((one) => this.#backend(one, options.tokens))));
    const settings = { ...plain, keyFile: file, backends: all, limits };
    writeFileSync(this.#config, JSON.stringify(settings));
  }

  async #backend(
    { env, tokens, credential, ...plain }: GatewayBackend,
    shared: GatewayOptions["tokens"],
  ): Promise<GatewayBackend> {
    const identity = await this.#identity({ tokens: tokens ?? shared, credential });
    return { ...plain, env: { ...env, ...identity } };
  }

  /** The variables of an identity that a token function or a credential answers for. */
  async #identity({
    tokens,
    credential,
  }: Pick<GatewayOptions, "tokens" | "credential">): Promise<Record<string, string>> {
    const acquire = typeof tokens === "function" ? fromFunction(tokens as never) : fromCredential(credential);
    if (acquire === undefined) return {};
    const server = createServer((_request, response) => {
      const answer = async () => {
        const { token: access_token, expiresOnTimestamp } = await acquire();
        const expires_on = `${Math.ceil(expiresOnTimestamp / 1_000)}`;
        response.end(JSON.stringify({ access_token, expires_on, token_type: "Bearer" }));
      };
      answer().catch(() => response.destroy());
    }).listen(0, "127.0.0.1");
    this.#identities.push(server);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return {
      IDENTITY_ENDPOINT: `http://127.0.0.1:${port}/token`,
      IDENTITY_HEADER: HEADER,
      FOUNDRY_TOKEN_SCOPE: SCOPE,
    };
  }
}

type Acquire = () => Promise<{ token: string; expiresOnTimestamp: number }>;

/** Tokens of a function: another one each time, as identities have. */
function fromFunction(tokens: () => Promise<string>): Acquire {
  let count = 0;
  return async () => {
    const token = await tokens();
    count += 1;
    return {
      token: count === 1 ? token : `${token}-${count}`,
      expiresOnTimestamp: Date.now() + 3_600_000,
    };
  };
}

function fromCredential(credential: GatewayOptions["credential"]): Acquire | undefined {
  if (typeof credential !== "object") return undefined;
  return async () => {
    const found = await credential.getToken(SCOPE);
    if (!found) throw new Error("no token");
    return found;
  };
}

/** The error that a process told. */
function errorOf(told: string): KeylessError {
  const [, message = told, code = "unexpected", hint] =
    /✗ (.*) \(([\w/-]+)\)(?:\n {2}([\s\S]*))?/.exec(told) ?? [];
  return new KeylessError(code as never, message, { hint: hint?.trim() });
}
