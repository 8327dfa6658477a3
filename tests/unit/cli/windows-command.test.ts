// How `run` starts a program on Windows: what reaches it is what was given, and cmd.exe finds no
// command in it.

import { expect, test } from "vitest";
import { windowsCommand } from "../../../js/cli/windows-command.js";

const env = { Path: 'C:\\bin;"C:\\npm tools";.;relative', PATHEXT: ".COM;.EXE;.JS;.BAT;.CMD" };
const files = ["C:\\bin\\node.exe", "C:\\npm tools\\codex.cmd", "C:\\npm tools\\node.cmd", "codex.cmd"];
files.push("relative\\evil.exe", "evil.exe", ".\\here.cmd", "C:\\bin\\script.js", "here.cmd");
const exists = (path: string) => files.some((file) => file.toLowerCase() === path.toLowerCase());
const start = (...command: string[]) => windowsCommand(command, env, exists);

test.each([
  ["node", "C:\\bin\\node.exe"],
  ["NODE.EXE", "C:\\bin\\NODE.EXE"],
  ["C:\\bin\\node", "C:\\bin\\node.exe"],
  ["C:/bin/node.exe", "C:\\bin\\node.exe"],
])("the program %j is %j, with arguments as they are", (program, file) => {
  expect(start(program, 'a "b" & c')).toEqual({
    file,
    args: ['a "b" & c'],
    windowsVerbatimArguments: false,
  });
});

test.each([
  ["evil", "is in the current folder and a relative one of PATH only"],
  ["script", "is nothing that Windows starts by itself"],
  ["none", "is nowhere"],
  ["", "has no name"],
])("the program %j is not found: it %s", (program) => {
  expect(start(program)).toBeUndefined();
});

test("a .cmd file is started by cmd.exe, found in PATH, not in the current folder unless named", () => {
  const line = (...command: string[]) => start(...command)?.args.at(-1);
  expect(start("codex", "-m", "gpt-5.5")).toEqual({
    file: "C:\\Windows\\System32\\cmd.exe",
    args: ["/d", "/e:ON", "/v:OFF", "/s", "/c", '""C:\\npm tools\\codex.cmd" -m gpt-5.5"'],
    windowsVerbatimArguments: true,
  });
  expect(line(".\\here")).toBe('""here.cmd""');
  expect(windowsCommand(["codex"], { ...env, COMSPEC: "D:\\cmd.exe" }, exists)?.file).toBe("D:\\cmd.exe");
});

const HOSTILE = [
  "",
  " ",
  "two words",
  "a&calc",
  '"&calc&"',
  '"',
  '""',
  'say "hi" | more',
  '\\"&calc',
  '\\\\"',
  "ends with \\",
  "C:\\dir\\",
  "a b\\\\",
  "%PATH%",
  "100%",
  "%%PATH%%",
  "%CMDCMDLINE:~-1%&calc",
  '"%CMDCMDLINE:~-1%&calc',
  "^&calc",
  "^",
  "!PATH!",
  "<in >out",
  "(a) @b, c; d=e",
  "`tick` 'single' $HOME",
  "äöü 漢字 😀",
  "-",
  "*.txt",
];

test.each(HOSTILE)("the argument %j arrives as it is, and is no command", (arg) => {
  const { args = [] } = start("codex", "first", arg, "last") ?? {};
  // What /s takes away.
  const line = (args.at(-1) as string).slice(1, -1);
  const batch = withoutOperators(expanded(line)).slice('"C:\\npm tools\\codex.cmd" '.length);
  // The file's own line is read for operators again. Its %* is put in after variables.
  expect(argv(withoutOperators(batch))).toEqual(["first", arg, "last"]);
});

test.each(["a\nb", "a\rb", "a\0b"])("the argument %j is refused, for a .cmd file only", (arg) => {
  expect(() => start("codex", arg)).toThrow(
    expect.objectContaining({ code: "gateway/invalid-option", message: expect.stringContaining("codex") }),
  );
  expect(start("node", arg)?.args).toEqual([arg]);
});

/** Expands variables as cmd.exe does in a line that is no file's: an unknown one would stay. */
function expanded(line: string): string {
  return line.replace(/%([^%:]+)(?::([^%]*))?%/g, (_all, name: string, part?: string) =>
    name.toLowerCase() === "cd" && part === "~," ? "" : `<${name} expanded>`,
  );
}

/** Throws if cmd.exe finds an operator in a line: one outside quotes. */
function withoutOperators(line: string): string {
  let inQuotes = false;
  for (const character of line) {
    if (character === '"') inQuotes = !inQuotes;
    else if (!inQuotes && /[&|<>^()!%]/.test(character)) throw new Error(`${character} in ${line}`);
  }
  if (inQuotes) throw new Error(`an open quote in ${line}`);
  return line;
}

/** The arguments that a C program reads from a line, by the rules of Microsoft's C runtime. */
function argv(line: string): string[] {
  const found: string[] = [];
  let current: string | undefined;
  let inQuotes = false;
  for (let at = 0; at < line.length; at++) {
    const slashes = /^\\*/.exec(line.slice(at))?.[0].length as number;
    const next = line[at + slashes];
    if (slashes > 0) {
      const isEscape = next === '"';
      current = (current ?? "") + "\\".repeat(isEscape ? Math.floor(slashes / 2) : slashes);
      at += slashes - 1;
      if (isEscape && slashes % 2 === 1) {
        current += '"';
        at++;
      }
    } else if (next === '"') {
      current ??= "";
      if (inQuotes && line[at + 1] === '"') {
        current += '"';
        at++;
      } else inQuotes = !inQuotes;
    } else if (next === " " && !inQuotes) {
      if (current !== undefined) found.push(current);
      current = undefined;
    } else current = (current ?? "") + next;
  }
  return current === undefined ? found : [...found, current];
}
