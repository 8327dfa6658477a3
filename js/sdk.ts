import type { CopilotClient, CopilotClientOptions } from "@github/copilot-sdk";
import { environment, withoutSecrets } from "./environment.js";
import { KeylessError } from "./errors.js";
import { installedVersion } from "./installed.js";
import { withoutLookups } from "./process-report.js";
import { runtimeError } from "./runtime-error.js";
import { noRuntime } from "./unsupported.js";
import { within } from "./within.js";

type Sdk = typeof import("@github/copilot-sdk");

const SDK = "@github/copilot-sdk";

/** The first version that starts and calls the token callback: 1.0.5 to 1.0.11 do not start, older ones drop it silently. */
const OLDEST = [1, 0, 13] as const;

/** How long the runtime may take to start, and to open a session. */
export const START_MS = 30_000;

/** Starts a client of the Copilot SDK, imported now, in an environment without identity secrets. */
export async function startClient(options: CopilotClientOptions = {}): Promise<CopilotClient> {
  const { CopilotClient } = await loadSdk();
  const client = new CopilotClient({
    // A provider of its own replaces GitHub's models, so no GitHub account is looked for.
    useLoggedInUser: false,
    ...options,
    env: withoutSecrets(options.env ?? environment()),
  });
  try {
    await within(
      withoutLookups(() => client.start()),
      START_MS,
      () => {
        throw new Error(`no answer within ${START_MS / 1000} s`);
      },
    );
  } catch (cause) {
    client.forceStop().catch(() => {});
    throw runtimeError(cause, "start", options.baseDirectory);
  }
  return client;
}

/** The Copilot SDK, imported now. */
export async function loadSdk(): Promise<Sdk> {
  if (!globalThis.process?.getBuiltinModule?.("node:child_process")) throw noRuntime();
  const version = installedVersion(SDK);
  if (version && isOlder(version)) {
    throw new KeylessError(
      "sdk/too-old",
      `${SDK} ${version} is too old: it cannot start, or sends no token at all`,
      {
        hint: `Run \`npm install ${SDK}@^${OLDEST.join(".")}\`.`,
      },
    );
  }
  try {
    return (await import("@github/copilot-sdk")) as Sdk;
  } catch (cause) {
    if (isNotFound(cause)) {
      throw new KeylessError("sdk/not-installed", `${SDK} is not installed`, {
        hint: `Run \`npm install ${SDK}\`.`,
        cause,
      });
    }
    throw runtimeError(cause, "start");
  }
}

/** Whether the SDK itself was not found, as opposed to something that it imports. */
function isNotFound(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return /^(ERR_)?MODULE_NOT_FOUND$/.test(String(code)) && new RegExp(`['"]${SDK}['"]`).test(String(message));
}

function isOlder(version: string): boolean {
  const parts = version.split(/[.-]/).slice(0, 3).map(Number);
  for (const [index, least] of OLDEST.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}
