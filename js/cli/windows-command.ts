import { existsSync } from "node:fs";
import { win32 } from "node:path";
import { KeylessError } from "copilot-keyless";
import type { Environment } from "../platform/environment.js";

/** What `spawn` needs to start a program without a shell of its own. */
interface Startable {
  file: string;
  args: string[];
  /** Whether `args` are quoted already. */
  windowsVerbatimArguments: boolean;
}

/** What Windows starts by itself, and what it starts with cmd.exe. */
const EXTENSIONS = [".com", ".exe", ".bat", ".cmd"];

/**
 * Returns how to start a program on Windows. Most tools are .cmd files there, which only cmd.exe
 * starts: it reads the line, and then the file's `%*`, as commands, so every argument is quoted in
 * a way that holds for both, and for the program that the file starts. Undefined if there is no such
 * program; `spawn` itself would look in the current folder, too.
 *
 * @throws KeylessError `gateway/invalid-option` if an argument for a .cmd file has a line break,
 * which no quoting preserves
 */
export function windowsCommand(
  [program = "", ...args]: readonly string[],
  env: Environment,
  exists: (path: string) => boolean = existsSync,
): Startable | undefined {
  const file = resolved(program, env, exists);
  if (file === undefined) return undefined;
  if (!/\.(bat|cmd)$/i.test(file)) return { file, args, windowsVerbatimArguments: false };
  if (args.some((arg) => /[\r\n\0]/.test(arg))) {
    throw new KeylessError("gateway/invalid-option", `An argument of ${program} has a line break`, {
      hint: "A .cmd file receives none. Pass the text in a file, or by standard input.",
    });
  }
  const line = [quoted(file, true), ...args.map((arg) => quoted(arg))].join(" ");
  return {
    file: variable(env, "ComSpec") || `${variable(env, "SystemRoot") || "C:\\Windows"}\\System32\\cmd.exe`,
    // No AutoRun, no delayed expansion of "!", and the outermost quotes are not part of the line.
    args: ["/d", "/e:ON", "/v:OFF", "/s", "/c", `"${line}"`],
    windowsVerbatimArguments: true,
  };
}

/**
 * Returns the file that a name means: in its folder if it has one, else in those of PATH, not in
 * the current one.
 */
function resolved(program: string, env: Environment, exists: (path: string) => boolean): string | undefined {
  const order = (variable(env, "PATHEXT") || ".COM;.EXE;.BAT;.CMD").toLowerCase().split(";");
  const extensions = order.filter((extension) => EXTENSIONS.includes(extension));
  const names = EXTENSIONS.includes(win32.extname(program).toLowerCase())
    ? [program]
    : extensions.map((extension) => program + extension);
  if (/[\\/:]/.test(program)) return names.map((name) => win32.normalize(name)).find(exists);
  const folders = (variable(env, "PATH") ?? "").split(";").map((folder) => folder.replaceAll('"', ""));
  const paths = folders
    .filter((folder) => win32.isAbsolute(folder))
    .flatMap((folder) => names.map((name) => win32.join(folder, name)));
  return paths.find(exists);
}

/**
 * Quotes an argument for cmd.exe and for the parser of C programs. A quote is doubled: both see the
 * number of quotes as even, so that no `&` or `|` is ever outside. `%` gets an empty expansion
 * before it, so that it begins no variable.
 */
function quoted(arg: string, always = false): string {
  if (!always && /^[\w#$*+\-./:?@\\]*[\w#$*+\-./:?@]$/.test(arg)) return arg;
  const escaped = arg
    // Backslashes before a quote, and before the one at the end.
    .replace(/(\\*)("|$)/g, (_all, slashes: string, quote: string) => slashes + slashes + quote + quote)
    .replaceAll("%", "%%cd:~,%");
  return `"${escaped}"`;
}

/** A variable, in whatever case it is written. */
function variable(env: Environment, name: string): string | undefined {
  return Object.entries(env).find(([key]) => key.toUpperCase() === name.toUpperCase())?.[1];
}
