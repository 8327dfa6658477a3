// Where a gateway serves its token, and to whom.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, symlinkSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import os, { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createFoundryProvider, type FoundryProvider } from "copilot-keyless";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import {
  isPrivateFolder,
  runningGatewayToken,
  serveCredential,
  socketPath,
} from "../../../js/cli/credential-socket.js";
import { ownUid } from "../../../js/platform/private-file.js";

beforeEach(() => void vi.stubEnv("XDG_RUNTIME_DIR", mkdtempSync(join(tmpdir(), "ck-socket-"))));
afterEach(() => void vi.unstubAllEnvs());

function providerOf(env: Record<string, string> = {}): FoundryProvider {
  const tokens = Object.assign(async () => "a-token", { close() {} }) as unknown as FoundryProvider["tokens"];
  return { ...createFoundryProvider({ endpoint: "https://myres.openai.azure.com", env }), tokens };
}

async function serve(provider: FoundryProvider, platform?: NodeJS.Platform): Promise<void> {
  onTestFinished(await serveCredential(provider, platform));
}

test("on Windows there is no pipe, which every user could open: nobody serves, nobody asks", async () => {
  const provider = providerOf();
  expect(socketPath(provider, "win32")).toBeUndefined();
  await serve(provider, "win32");
  expect(existsSync(dirname(socketPath(provider, "linux") as string))).toBe(false);
  await serve(provider, "linux");
  expect(await runningGatewayToken(provider, "win32")).toBeUndefined();
});

describe.skipIf(process.platform === "win32")("the socket", () => {
  test("is in one folder, of the user's id: a user without a name has one, too", async () => {
    const name = vi.spyOn(os, "userInfo").mockImplementation(() => {
      throw Object.assign(new Error("no such user"), { code: "ENOENT" });
    });
    // For imports by name, too.
    syncBuiltinESMExports();
    onTestFinished(() => {
      name.mockRestore();
      syncBuiltinESMExports();
    });
    const path = socketPath(providerOf()) as string;
    expect(dirname(path)).toBe(join(process.env.XDG_RUNTIME_DIR as string, `copilot-keyless-${ownUid()}`));
    await serve(providerOf());
    expect(await runningGatewayToken(providerOf())).toBe("a-token");
  });

  test("is not that of another identity: kind, client and tenant are in its name", async () => {
    const tenant = "11111111-1111-1111-1111-111111111111";
    const client = "22222222-2222-2222-2222-222222222222";
    const federated = {
      AZURE_TOKEN_CREDENTIALS: "WorkloadIdentityCredential",
      AZURE_FEDERATED_TOKEN_FILE: "/token",
      AZURE_CLIENT_ID: client,
    };
    const identities = [
      { ...federated, AZURE_TENANT_ID: tenant },
      { ...federated, AZURE_TENANT_ID: client },
      { AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential" },
      { AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential", AZURE_CLIENT_ID: client },
    ].map(providerOf);
    expect(new Set(identities.map((one) => socketPath(one))).size).toBe(identities.length);
    await serve(identities[2] as FoundryProvider);
    expect(await runningGatewayToken(identities[3] as FoundryProvider)).toBeUndefined();
    expect(await runningGatewayToken(identities[2] as FoundryProvider)).toBe("a-token");
  });

  test("in a folder that is open to others or a link is neither made nor asked", async () => {
    const provider = providerOf();
    const folder = dirname(socketPath(provider) as string);
    await serve(provider);
    chmodSync(folder, 0o755);
    expect(await runningGatewayToken(provider)).toBeUndefined();
    chmodSync(folder, 0o700);
    expect(await runningGatewayToken(provider)).toBe("a-token");
    renameSync(folder, `${folder}.moved`);
    symlinkSync(`${folder}.moved`, folder);
    expect(await runningGatewayToken(provider)).toBeUndefined();
  });

  test("a folder of another user is not used", () => {
    const folder = join(process.env.XDG_RUNTIME_DIR as string, "folder");
    mkdirSync(folder, { mode: 0o700 });
    expect(isPrivateFolder(folder)).toBe(true);
    expect(isPrivateFolder(folder, (ownUid() ?? 0) + 1)).toBe(false);
  });
});
