// The file of `credential --cache`.

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { read, write } from "../../../js/cli/credential-command.js";

const isPosix = process.platform !== "win32";
const content = { token: "t", expiresOnTimestamp: 1, audience: "a" };
const newFile = () => join(mkdtempSync(join(tmpdir(), "ck-cache-")), "token.json");

test("the cache file is its user's alone, replaces another's link, and leaves nothing beside it", () => {
  const file = newFile();
  writeFileSync(`${file}.bait`, "untouched");
  symlinkSync(`${file}.bait`, file);
  write(file, content);
  expect(read(file)).toEqual(content);
  expect(statSync(`${file}.bait`).size).toBe("untouched".length);
  if (isPosix) expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(file, ".."))).toHaveLength(2);
});

test("a cache file that cannot be replaced leaves no token behind", () => {
  const file = newFile();
  mkdirSync(join(file, "taken"), { recursive: true });
  expect(() => write(file, content)).toThrow();
  expect(readdirSync(join(file, ".."))).toEqual(["token.json"]);
});

test.runIf(isPosix)("a cache file that others can read, or a link, is not used", () => {
  const file = newFile();
  write(file, content);
  symlinkSync(file, `${file}.link`);
  expect(read(`${file}.link`)).toBeUndefined();
  chmodSync(file, 0o644);
  expect(read(file)).toBeUndefined();
});
