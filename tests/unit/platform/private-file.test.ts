// A file with a secret is read only if it is the user's own, and closed to all others.

import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ownUid, readPrivateFile } from "../../../js/platform/private-file.js";

const folder = mkdtempSync(join(tmpdir(), "ck-private-"));
const file = join(folder, "file");
writeFileSync(file, "content", { mode: 0o600 });
const readable = join(folder, "readable");
writeFileSync(readable, "content");
chmodSync(readable, 0o640);
const link = join(folder, "link");
symlinkSync(file, link);
mkdirSync(join(folder, "folder"), { mode: 0o700 });

test.skipIf(process.platform === "win32").each([
  ["the user's own file is read", file, ownUid(), "content"],
  ["a file of another user is not", file, (ownUid() ?? 0) + 1, undefined],
  ["a file that a group can read is not", readable, ownUid(), undefined],
  ["a link is not followed", link, ownUid(), undefined],
  ["a folder is not read", join(folder, "folder"), ownUid(), undefined],
] as const)("%s", (_name, path, own, content) => {
  expect(readPrivateFile(path, own)).toBe(content);
});

test("a file that does not exist is an error", () => {
  expect(() => readPrivateFile(join(folder, "none"))).toThrow(/ENOENT/);
});
