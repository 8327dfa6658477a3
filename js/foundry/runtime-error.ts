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
    hint: "If a runtime of your own is named (client.connection, COPILOT_CLI_PATH), check it; else reinstall @github/copilot-sdk for this platform, without --omit=optional, and leave it out of a bundle.",
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

/** The errors of vscode-jsonrpc for a connection that is closed, disposed, or cannot be written to. */
const CONNECTION_LOST =
  /\b(Connection is (closed|disposed)|connection got disposed|Client (is )?not connected|ERR_STREAM_DESTROYED|ERR_STREAM_WRITE_AFTER_END|EPIPE|ECONNRESET|write after end|stream was destroyed)\b/i;

/** Whether a request failed because the connection to the runtime is no more. */
export function isConnectionLost(error: unknown): boolean {
  return !(error instanceof KeylessError) && CONNECTION_LOST.test(textOf(error));
}

/** Whether a runtime did not start because a signal ended it, such as that of a machine with too little memory. */
export function isKilled(error: unknown): boolean {
  return /CLI server exited( unexpectedly)? with code null/.test(
    textOf((error as { cause?: unknown }).cause),
  );
}

/** Whether the runtime says that it has no such session. */
export function isSessionGone(error: unknown): boolean {
  return !(error instanceof KeylessError) && /Session not found/i.test(textOf(error));
}

/** What an error says, with its code where that is a word. */
export function textOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return `${typeof code === "string" ? `${code}: ` : ""}${error instanceof Error ? error.message : String(error)}`;
}

/** The runtime has gone in the middle of something. `foreign`: it is the user's own client. */
export function runtimeEnded(foreign: boolean): KeylessError {
  const next = foreign
    ? "Start your client again; the next turn takes the conversation up where it can."
    : "The next turn starts it again and takes the conversation up where it can.";
  return new KeylessError("sdk/runtime-ended", "The Copilot runtime has ended unexpectedly", {
    hint: `${next} Look for what ended it, such as too little memory.`,
  });
}

/** What an error may be about: the runtime's home folder, and its program where it is not the bundled one. */
interface About {
  home?: string | undefined;
  program?: string | undefined;
}

/** An error of the runtime, in words that tell what to do. An abort stays what it is. */
export function runtimeError(cause: unknown, stage: keyof typeof STAGES, about: About = {}): unknown {
  if (cause instanceof KeylessError || cause instanceof DOMException) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  // The SDK puts a stack into some of its messages.
  const said = text.replace(/\n {4}at .*/g, "");
  // A program that cannot be started says nothing of the home folder.
  const isOfHome =
    stage === "session" || (stage === "start" && !/^(Error: )?(Failed to start.*)?spawn /.test(said));
  const home = isOfHome ? homeError(said, { cause, home: about.home }) : undefined;
  if (home) return home;
  const { code, message, hint } = STAGES[stage];
  const which = about.program === undefined ? "" : ` (${about.program})`;
  return new KeylessError(code, `${message}${which}: ${said}`, { hint, cause });
}

/** What the runtime says, if it is that it cannot write to its home folder. */
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
