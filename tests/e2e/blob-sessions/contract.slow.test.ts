// The files of a session by the SDK's interface: the same calls give the same answers from a disk,
// from the store, and from the store after the turn was kept and another worker has read it.

import { mkdtempSync, rmSync } from "node:fs";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createSessionFsAdapter, type SessionFsProvider } from "@github/copilot-sdk";
import { blobConversations } from "copilot-keyless/blob-sessions";
import { afterAll, describe, expect, test } from "vitest";
import { createContainer, credential, startStorage } from "./support.js";

const { azurite } = await startStorage();
await createContainer(azurite, "contract");
const store = () => blobConversations({ account: azurite.account, container: "contract", credential });

type Adapter = ReturnType<typeof createSessionFsAdapter>;
type Call = readonly [name: keyof Adapter & keyof SessionFsProvider, ...args: unknown[]];

/** The files of a folder on this machine. */
function disk(home: string): SessionFsProvider {
  const at = (path: string) => join(home, path);
  const parent = (path: string) => fs.mkdir(dirname(at(path)), { recursive: true });
  return {
    readFile: (path) => fs.readFile(at(path), "utf8"),
    writeFile: async (path, content) => {
      await parent(path);
      await fs.writeFile(at(path), content);
    },
    appendFile: async (path, content) => {
      await parent(path);
      await fs.appendFile(at(path), content);
    },
    exists: (path) =>
      fs.access(at(path)).then(
        () => true,
        () => false,
      ),
    stat: async (path) => {
      const found = await fs.stat(at(path));
      const [isFile, isDirectory] = [found.isFile(), found.isDirectory()];
      const size = isFile ? found.size : 0;
      return {
        isFile,
        isDirectory,
        size,
        mtime: found.mtime.toISOString(),
        birthtime: found.birthtime.toISOString(),
      };
    },
    mkdir: async (path, recursive) => {
      await fs.mkdir(at(path), { recursive });
    },
    readdir: (path) => fs.readdir(at(path)),
    readdirWithTypes: async (path) =>
      (await fs.readdir(at(path), { withFileTypes: true })).map((entry) => ({
        name: entry.name,
        type: entry.isDirectory() ? ("directory" as const) : ("file" as const),
      })),
    rm: (path, recursive, force) => fs.rm(at(path), { recursive, force }),
    rename: (from, to) => fs.rename(at(from), at(to)),
  };
}

const ARGUMENTS: Record<string, readonly string[]> = {
  writeFile: ["path", "content"],
  appendFile: ["path", "content"],
  mkdir: ["path", "recursive"],
  rm: ["path", "recursive", "force"],
  rename: ["src", "dest"],
};

/** What is comparable of an answer: no times, no texts of errors, no order of entries. */
function comparable(answer: unknown): unknown {
  const { error, mtime, birthtime, entries, message, ...rest } = (answer ?? {}) as Record<string, unknown>;
  const key = (entry: unknown) => JSON.stringify(entry);
  const times = [mtime, birthtime].filter(
    (time) => time !== undefined && Number.isNaN(Date.parse(String(time))),
  );
  return {
    ...rest,
    times,
    ...(error ? { error: (error as { code: string }).code } : {}),
    ...(Array.isArray(entries) ? { entries: [...entries].sort((a, b) => (key(a) < key(b) ? -1 : 1)) } : {}),
  };
}

async function answers(provider: SessionFsProvider, calls: readonly Call[]): Promise<unknown[]> {
  const adapter = createSessionFsAdapter(provider) as unknown as Record<
    string,
    (given: object) => Promise<unknown>
  >;
  const all: unknown[] = [];
  for (const [name, ...args] of calls) {
    const names = ARGUMENTS[name] ?? ["path"];
    const given = Object.fromEntries(names.map((one, index) => [one, args[index]]));
    all.push([name, ...args, comparable(await adapter[name]?.(given))]);
  }
  return all;
}

/** All files with their contents, and all folders. */
async function tree(provider: SessionFsProvider, path = "/"): Promise<Record<string, string | null>> {
  const all: Record<string, string | null> = {};
  for (const { name, type } of await provider.readdirWithTypes(path)) {
    const one = path === "/" ? `/${name}` : `${path}/${name}`;
    if (type === "directory") Object.assign(all, { [one]: null }, await tree(provider, one));
    else all[one] = await provider.readFile(one);
  }
  return all;
}

const CASES: Record<string, readonly Call[]> = {
  "a file that is written, appended to and written again": [
    ["readFile", "/a/b.txt"],
    ["exists", "/a"],
    ["writeFile", "/a/b.txt", "one"],
    ["appendFile", "/a/b.txt", "two"],
    ["appendFile", "/a/b.txt", "three"],
    ["readFile", "/a/b.txt"],
    ["stat", "/a/b.txt"],
    ["stat", "/a"],
    ["writeFile", "/a/b.txt", ""],
    ["readFile", "/a/b.txt"],
    ["stat", "/a/b.txt"],
    ["appendFile", "/new/c.txt", "made"],
    ["readFile", "/new/c.txt"],
  ],
  "texts of any kind": [
    ["writeFile", "/t", "\ufeffä€😀\0\r\n\u2028 \ud800 \udc00"],
    ["appendFile", "/t", "\ud83d"],
    ["appendFile", "/t", "\ude00"],
    ["readFile", "/t"],
    ["stat", "/t"],
    ["writeFile", "/päth with spaces/😀.txt", "x"],
    ["readdir", "/päth with spaces"],
  ],
  folders: [
    ["mkdir", "/a/b/c", false],
    ["mkdir", "/a/b/c", true],
    ["mkdir", "/a/b/c", true],
    ["mkdir", "/a", false],
    ["mkdir", "/a/d", false],
    ["writeFile", "/a/file", "x"],
    ["readdir", "/a"],
    ["readdirWithTypes", "/a"],
    ["readdir", "/a/b/c"],
    ["readdir", "/missing"],
    ["readdirWithTypes", "/missing"],
    ["stat", "/missing"],
    ["exists", "/missing"],
    ["exists", "/a/d"],
  ],
  "a file where a folder should be, and the reverse": [
    ["writeFile", "/file", "x"],
    ["mkdir", "/dir", false],
    ["readFile", "/dir"],
    ["writeFile", "/dir", "x"],
    ["appendFile", "/dir", "x"],
    ["readdir", "/file"],
    ["readdirWithTypes", "/file"],
    ["mkdir", "/file", true],
    ["mkdir", "/file", false],
    ["mkdir", "/file/x", false],
    ["mkdir", "/file/x/y", true],
    ["writeFile", "/file/x", "x"],
    ["readFile", "/file/x"],
    ["stat", "/file/x"],
    ["exists", "/file/x"],
    ["rm", "/file/x", false, false],
    ["rm", "/file/x", false, true],
  ],
  "what is removed": [
    ["writeFile", "/a/b/c", "x"],
    ["writeFile", "/a/bc", "y"],
    ["rm", "/a", false, false],
    ["rm", "/a", false, true],
    ["rm", "/missing", false, false],
    ["rm", "/missing", true, false],
    ["rm", "/missing", false, true],
    ["rm", "/a/b/c", false, false],
    ["exists", "/a/b"],
    ["rm", "/a/b", true, false],
    ["readdir", "/a"],
    ["writeFile", "/a/b", "again"],
    ["rm", "/a", true, true],
    ["exists", "/a"],
  ],
  "what is renamed": [
    ["writeFile", "/s/x.tmp", "one"],
    ["rename", "/s/x.tmp", "/s/x"],
    ["readFile", "/s/x"],
    ["readFile", "/s/x.tmp"],
    ["writeFile", "/s/y", "two"],
    ["rename", "/s/y", "/s/x"],
    ["readFile", "/s/x"],
    ["rename", "/s/x", "/s/x"],
    ["rename", "/missing", "/s/z"],
    ["rename", "/s/x", "/none/z"],
    ["mkdir", "/d/e", true],
    ["writeFile", "/d/e/f", "three"],
    ["rename", "/d", "/moved"],
    ["readFile", "/moved/e/f"],
    ["exists", "/d"],
    ["rename", "/moved", "/moved/e/inside"],
    ["rename", "/s/x", "/moved"],
    ["rename", "/moved", "/s/x"],
    ["mkdir", "/empty", false],
    ["rename", "/moved/e", "/empty"],
    ["readdir", "/empty"],
    ["mkdir", "/other", false],
    ["rename", "/other", "/empty"],
    ["rename", "/s/x", "/s/x/y"],
    ["rename", "/s/x", "/empty/f/y"],
  ],
  "paths that are written in another way": [
    ["writeFile", "/a//b/../c.txt", "x"],
    ["readFile", "/a/./c.txt"],
    ["exists", "/a/"],
    ["stat", "/a/"],
    ["readdir", "/a/"],
    ["mkdir", "/m/", true],
    ["exists", "/m"],
  ],
};

describe("the files of a session behave as those of a disk", () => {
  test.each(Object.entries(CASES))("%s", async (_name, calls) => {
    const home = mkdtempSync(join(tmpdir(), "copilot-keyless-files-"));
    afterAll(() => rmSync(home, { recursive: true, force: true }));
    const turn = store().begin("model", "caller");
    await turn.open();
    expect(await answers(turn.files, calls)).toEqual(await answers(disk(home), calls));
    const expected = await tree(disk(home));
    expect(await tree(turn.files)).toEqual(expected);
    await turn.end();
    const next = store().resume(turn.sessionId, "caller");
    await next.open();
    expect(await tree(next.files)).toEqual(expected);
    await next.end();
  });
});

test("as much as one likes is kept, in several writes", async () => {
  const turn = store().begin("model", "caller");
  await turn.open();
  const long = "ä😀x".repeat(1_000_000);
  await turn.files.writeFile("/long", long);
  for (let index = 0; index < 300; index += 1)
    await turn.files.writeFile(`/many/${index}`, `${index}`.repeat(9_000));
  await turn.end();
  const next = store().resume(turn.sessionId, "caller");
  await next.open();
  expect((await next.files.readFile("/long")) === long).toBe(true);
  expect(await next.files.readdir("/many")).toHaveLength(300);
  expect(await next.files.readFile("/many/299")).toBe("299".repeat(9_000));
  await next.end();
});

test("what a turn writes is the same after 2,000 turns as after 10", async () => {
  const long = await createContainer(azurite, "long");
  const conversations = blobConversations({ account: azurite.account, container: "long", credential });
  const listed = async () => {
    const sizes = new Map<string, number>();
    for await (const { name, properties } of long.listBlobsFlat())
      sizes.set(name, properties.contentLength ?? 0);
    return sizes;
  };
  const size = async () => [...(await listed()).values()].reduce((all, one) => all + one, 0);
  let id: string | undefined;
  const open = async () => {
    const turn =
      id === undefined ? conversations.begin("model", "caller") : conversations.resume(id, "caller");
    await turn.open();
    return turn;
  };
  const bytesOfTurn = async () => {
    const before = await size();
    const turn = await open();
    await turn.files.appendFile("/events.jsonl", "x".repeat(500));
    await turn.end();
    id = turn.sessionId;
    return (await size()) - before;
  };
  for (let turn = 0; turn < 10; turn += 1) await bytesOfTurn();
  const early = await bytesOfTurn();
  // 1,989 more, each with the two lines of this one.
  const [name] = (await listed()).keys();
  const log = long.getAppendBlobClient(name as string);
  const lines = (await log.downloadToBuffer()).toString().split("\n").slice(-3).join("\n");
  const { begin } = JSON.parse(lines.split("\n", 1)[0] as string);
  const more = Array.from({ length: 1_989 }, () => lines.replaceAll(begin, crypto.randomUUID())).join("");
  await log.appendBlock(more, more.length);
  expect(await bytesOfTurn()).toBe(early);
  const turn = await open();
  expect(await turn.files.readFile("/events.jsonl")).toBe("x".repeat(500 * 2_001));
  await turn.end();
});

test("a conversation, and all of a caller, are deleted", async () => {
  const kept: string[] = [];
  for (const caller of ["one", "one", "other"]) {
    const turn = store().begin("model", caller);
    await turn.open();
    await turn.end();
    kept.push(turn.sessionId);
  }
  const [first = "", second = "", others = ""] = kept;
  await store().delete(first, "other");
  const held = store().resume(first, "one");
  await held.open();
  await expect(store().delete(first, "one")).rejects.toMatchObject({ code: "chat/session-busy" });
  await held.end();
  await store().delete(first, "one");
  const opened = (id: string, caller: string) => store().resume(id, caller).open();
  await expect(opened(first, "one")).rejects.toMatchObject({ code: "chat/session-not-found" });
  await store().deleteAllOf("one");
  await expect(opened(second, "one")).rejects.toMatchObject({ code: "chat/session-not-found" });
  const still = store().resume(others, "other");
  await still.open();
  await still.end();
});
