// Tests that a folder that cannot be created is an error, not a process that hangs.

import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeFolder } from "../../../js/platform/node.js";

const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "file");
writeFileSync(file, "");

test("creates the parents, and takes a folder that is there", () => {
  const path = join(folder, "a/b/c");
  makeFolder(path, 0o700);
  makeFolder(path);
  expect(statSync(path).isDirectory()).toBe(true);
  if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o700);
});

test.each([file, join(file, "a")])("throws where a file is in the way: %s", (path) => {
  expect(() => makeFolder(path)).toThrow(expect.objectContaining({ code: expect.any(String) }));
  expect(existsSync(join(file, "a"))).toBe(false);
});

test("throws in /proc, where Node's recursive mkdirSync never returns", () => {
  const path = process.platform === "linux" ? "/proc/nowhere/a" : join(file, "a");
  expect(() => makeFolder(path)).toThrow(expect.objectContaining({ code: expect.any(String) }));
});
