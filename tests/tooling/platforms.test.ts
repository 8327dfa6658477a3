// Tests how scripts start commands. The platform is an argument.

import { expect, test } from "vitest";

const { spawned } = await import(new URL("../../scripts/steps.mjs", import.meta.url).href);

test.each([
  ["linux", "npm", ["pack", "a b"], { command: "npm", args: ["pack", "a b"], shell: false }],
  ["darwin", "tsc", ["-p", "x & y"], { command: "tsc", args: ["-p", "x & y"], shell: false }],
  ["win32", "npm", ["run", "build", "-p"], { command: "npm", args: ["run", "build", "-p"], shell: true }],
  ["win32", "tsc", ["-p", "C:\\My tests\\x.json"], { args: ["-p", '"C:\\My tests\\x.json"'], shell: true }],
  ["win32", "func", ["a&b", 'say "c"'], { args: ['"a&b"', '"say \\"c\\""'], shell: true }],
  ["win32", "C:\\Program Files\\nodejs\\node.exe", ["a b"], { args: ["a b"], shell: false }],
])("%s: %s %j", (platform, command, args, expected) => {
  expect(spawned(command, args, platform)).toMatchObject({ command, ...expected });
});
