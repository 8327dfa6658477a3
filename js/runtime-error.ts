import { environment } from "./environment.js";
import { KeylessError } from "./errors.js";

const STAGES = {
  start: {
    code: "sdk/start-failed",
    message: "The Copilot runtime did not start",
    hint: "Reinstall @github/copilot-sdk for this platform, without --omit=optional, and leave it out of a bundle; see the cause with --debug.",
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
  const home = baseDirectory ?? environment().COPILOT_HOME ?? "~/.copilot";
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
