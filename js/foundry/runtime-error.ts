import { KeylessError } from "../errors/keyless-error.js";
import { environment } from "../platform/environment.js";

const STAGES = {
  options: {
    code: "sdk/client-refused",
    message: "The Copilot SDK refuses the options of `client`",
    hint: "Correct the option that it names.",
  },
  start: {
    code: "sdk/start-failed",
    message: "The Copilot runtime did not start",
    hint: "If client.connection or COPILOT_CLI_PATH names a runtime, check it. Otherwise reinstall @github/copilot-sdk for this platform, without --omit=optional, and keep it out of bundles.",
  },
  session: {
    code: "sdk/session-refused",
    message: "The Copilot runtime refused the session",
    hint: "Check the options of the client and the session, such as tools and workingDirectory.",
  },
  rotate: {
    code: "sdk/rotate-failed",
    message: "The Copilot runtime did not accept the new token",
    hint: "Resume a session that was disconnected, or whose client was stopped: client.resumeSession(id, foundry.sessionConfig()).",
  },
  send: {
    code: "sdk/send-failed",
    message: "The Copilot runtime did not accept the prompt",
    hint: "Send it again; a session or a runtime that has ended is started again.",
  },
} as const;

/**
 * The errors of vscode-jsonrpc for a connection that is closed, disposed, or cannot be written to.
 */
const CONNECTION_LOST =
  /\b(Connection is (closed|disposed)|connection got disposed|Client (is )?not connected|ERR_STREAM_DESTROYED|ERR_STREAM_WRITE_AFTER_END|EPIPE|ECONNRESET|write after end|stream was destroyed)\b/i;

/** Whether a request failed because the connection to the runtime is lost. */
export function isConnectionLost(error: unknown): boolean {
  return !(error instanceof KeylessError) && CONNECTION_LOST.test(textOf(error));
}

/** Whether a runtime did not start because a signal killed it, for example when memory ran out. */
export function isKilled(error: unknown): boolean {
  return /CLI server exited( unexpectedly)? with code null/.test(
    textOf((error as { cause?: unknown }).cause),
  );
}

/** Whether the runtime says that it has no such session. */
export function isSessionGone(error: unknown): boolean {
  return !(error instanceof KeylessError) && /Session not found/i.test(textOf(error));
}

/** The message of an error, after its code if that is a text. */
export function textOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return `${typeof code === "string" ? `${code}: ` : ""}${error instanceof Error ? error.message : String(error)}`;
}

/** The error of a turn whose runtime has ended. `isUserClient`: the user started it. */
export function runtimeEnded(isUserClient: boolean): KeylessError {
  const next = isUserClient
    ? "Start your client again; the next turn resumes the conversation if possible."
    : "The next turn starts it again and resumes the conversation if possible.";
  return new KeylessError("sdk/runtime-ended", "The Copilot runtime has ended unexpectedly", {
    hint: `${next} Check what ended it, such as too little memory.`,
  });
}

/** The runtime's home folder, and its program if it is not the bundled one. */
interface About {
  home?: string | undefined;
  program?: string | undefined;
}

/** Converts an error of the runtime into one that says what to do. An abort stays as it is. */
export function runtimeError(cause: unknown, stage: keyof typeof STAGES, about: About = {}): unknown {
  if (cause instanceof KeylessError || cause instanceof DOMException) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  // The SDK appends a stack to some messages.
  const said = text.replace(/\n {4}at .*/g, "");
  // The error of a program that cannot be started is not about the home folder.
  const isOfHome =
    stage === "session" || (stage === "start" && !/^(Error: )?(Failed to start.*)?spawn /.test(said));
  const home = isOfHome ? homeError(said, { cause, home: about.home }) : undefined;
  if (home) return home;
  const { code, message, hint } = STAGES[stage];
  const which = about.program === undefined ? "" : ` (${about.program})`;
  return new KeylessError(code, `${message}${which}: ${said}`, { hint, cause });
}

/** The error for a message of the runtime that says that its home folder is not writable. */
export function homeError(
  said: string,
  {
    cause,
    home = environment().COPILOT_HOME ?? "~/.copilot",
  }: { cause?: unknown; home?: string | undefined } = {},
): KeylessError | undefined {
  const full = /\bENOSPC\b|[Nn]o space left/.test(said);
  const unwritable =
    /\b(ENOENT|EACCES|EPERM|EROFS|ENOTDIR|EEXIST)\b|[Pp]ermission denied|[Rr]ead-only file system/.test(said);
  if (!full && !unwritable) return undefined;
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
