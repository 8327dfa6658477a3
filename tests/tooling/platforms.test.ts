// How scripts start commands, with the platform as an argument.

import { expect, test } from "vitest";

const { spawned } = await import(new URL("../../scripts/steps.mjs", import.meta.url).href);

const shell = { shell: true };
test.each([
  ["linux", "npm", ["pack", "a b"], ["npm", ["pack", "a b"], {}]],
  ["darwin", "tsc", ["-p", "x & y"], ["tsc", ["-p", "x & y"], {}]],
  ["win32", "npm", ["run", "build", "-p"], ["npm", ["run", "build", "-p"], shell]],
  ["win32", "tsc", ["-p", "C:\\My tests\\x.json"], ["tsc", ["-p", '"C:\\My tests\\x.json"'], shell]],
  ["win32", "func", ["a&b", 'say "c"'], ["func", ['"a&b"', '"say \\"c\\""'], shell]],
  [
    "win32",
    "C:\\Program Files\\nodejs\\node.exe",
    ["a b"],
    [expect.stringContaining("node.exe"), ["a b"], {}],
  ],
])("%s: %s %j", (platform, command, args, expected) => {
  expect(spawned(command, args, {}, platform)).toEqual(expected);
});
