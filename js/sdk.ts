import type { CopilotClient, CopilotClientOptions } from "@github/copilot-sdk";
import { withoutSecrets } from "./environment.js";
import { KeylessError } from "./errors.js";
import { installedVersion } from "./installed.js";
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
    env: withoutSecrets(options.env ?? process.env),
  });
  try {
    await within(client.start(), START_MS, () => {
      throw new Error(`no answer within ${START_MS / 1000} s`);
    });
  } catch (cause) {
    client.forceStop().catch(() => {});
    throw runtimeError(cause, "start", options.baseDirectory);
  }
  return client;
}

const STAGES = {
  start: {
    code: "sdk/start-failed",
    message: "The Copilot runtime did not start",
    hint: "Reinstall @github/copilot-sdk for this platform, without --omit=optional; see the cause with --debug.",
  },
  session: {
    code: "sdk/session-refused",
    message: "The Copilot runtime refused the session",
    hint: "Check the options of the client and the session, such as tools and workingDirectory.",
  },
  rotate: {
    code: "sdk/rotate-failed",
    message: "The Copilot runtime did not take the new token",
    hint: "A session that was disconnected, or whose client was stopped, is resumed: client.resumeSession(id, foundry.resumeConfig()).",
  },
  send: {
    code: "sdk/send-failed",
    message: "The Copilot runtime did not take the prompt",
    hint: "Send it again; a session or a runtime that has ended is started anew.",
  },
} as const;

/** An error of the runtime, in words that tell what to do. An abort stays what it is. */
export function runtimeError(cause: unknown, stage: keyof typeof STAGES, baseDirectory?: string): unknown {
  if (cause instanceof KeylessError || cause instanceof DOMException) return cause;
  const said = cause instanceof Error ? cause.message : String(cause);
  const home =
    stage === "start" || stage === "session" ? homeError(said, { cause, baseDirectory }) : undefined;
  if (home) return home;
  const { code, message, hint } = STAGES[stage];
  return new KeylessError(code, `${message}: ${said}`, { hint, cause });
}

/** What the runtime says, if it is that it cannot write to its home folder. */
export function homeError(
  said: string,
  { cause, baseDirectory }: { cause?: unknown; baseDirectory?: string | undefined } = {},
): KeylessError | undefined {
  const full = /\bENOSPC\b|[Nn]o space left/.test(said);
  const unwritable =
    /\b(ENOENT|EACCES|EPERM|EROFS|ENOTDIR)\b|[Pp]ermission denied|[Rr]ead-only file system/.test(said);
  if (!full && !unwritable) return undefined;
  const home = baseDirectory ?? process.env.COPILOT_HOME ?? "~/.copilot";
  const why = full ? ": the disk is full" : "";
  return new KeylessError(
    "sdk/home-not-writable",
    `The Copilot runtime cannot write to its home folder, ${home}${why}`,
    {
      hint: `${full ? "Make room on its disk, or set" : "Set"} COPILOT_HOME to a folder that can be written to (in code: client: { baseDirectory }).`,
      cause,
    },
  );
}

/** The Copilot SDK, imported now. */
export async function loadSdk(): Promise<Sdk> {
  const version = installedVersion(SDK);
  if (version === undefined) {
    throw new KeylessError("sdk/not-installed", `${SDK} is not installed`, {
      hint: `Run \`npm install ${SDK}\`.`,
    });
  }
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
    throw runtimeError(cause, "start");
  }
}

function isOlder(version: string): boolean {
  const parts = version.split(/[.-]/).slice(0, 3).map(Number);
  for (const [index, least] of OLDEST.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}
