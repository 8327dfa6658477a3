// Tests differences on Windows and macOS, with the platform as an argument and without /proc.

import fs from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { endingSignal, homeIn } from "../../../js/copilot/sdk.js";
import { SessionLock } from "../../../js/copilot/session-lock.js";
import { WorkingDirectory } from "../../../js/copilot/working-directory.js";
import { coreEnvironment } from "../../../js/platform/environment.js";
import { atExit } from "../../../js/platform/node.js";

afterEach(() => vi.restoreAllMocks());

describe("the runtime's home folder", () => {
  const variables = { HOME: "/home/me", USERPROFILE: "C:\\Users\\me" };
  test.each([
    ["linux", variables, undefined, join("/home/me", ".copilot")],
    ["darwin", variables, undefined, join("/home/me", ".copilot")],
    ["win32", variables, undefined, join("C:\\Users\\me", ".copilot")],
    ["win32", { HOME: "/c/Users/me" }, undefined, join(homedir(), ".copilot")],
    ["win32", { ...variables, COPILOT_HOME: "D:\\copilot" }, undefined, "D:\\copilot"],
    ["linux", { HOME: "" }, undefined, join(homedir(), ".copilot")],
    ["darwin", variables, "/elsewhere", "/elsewhere"],
  ])("%s %o %s is %s", (platform, env, baseDirectory, home) => {
    expect(homeIn(env, baseDirectory, platform)).toBe(home);
  });
});

test.each([
  ["win32", "SIGHUP", "SIGTERM"],
  ["win32", "SIGINT", "SIGINT"],
  ["darwin", "SIGHUP", "SIGHUP"],
  ["linux", "SIGTERM", "SIGTERM"],
] as const)("on %s, %s is raised again as %s", (platform, signal, raised) => {
  expect(endingSignal(signal, platform)).toBe(raised);
});

test("names of variables ignore case on Windows only", () => {
  const env = { Foundry_Model_Name: "gpt-5.5", azure_client_secret: "secret", Path: "C:\\" };
  expect(coreEnvironment(env, "win32")).toEqual({
    FOUNDRY_MODEL_NAME: "gpt-5.5",
    AZURE_CLIENT_SECRET: "set",
  });
  expect(coreEnvironment(env, "linux")).not.toHaveProperty("FOUNDRY_MODEL_NAME");
  expect(coreEnvironment(env, "darwin")).not.toHaveProperty("Foundry_Model_Name");
});

describe("a conversation's folder", () => {
  test("that is in use is removed when the process ends", async () => {
    const directory = new WorkingDirectory();
    const path = directory.path();
    const busy = Object.assign(new Error("EBUSY: resource busy or locked"), { code: "EBUSY" });
    vi.spyOn(fs.promises, "rm").mockRejectedValueOnce(busy);
    await directory.remove();
    expect(fs.existsSync(path)).toBe(true);
    const others = vi.fn();
    const failing = atExit(() => {
      throw busy;
    });
    const cancel = atExit(others);
    for (const listener of process.listeners("exit"))
      if (listener.name.includes("runExitActions")) listener(0);
    failing();
    cancel();
    expect(fs.existsSync(path)).toBe(false);
    expect(others).toHaveBeenCalled();
  });

  test("is its user's where the platform has no user ids", async () => {
    const { getuid } = process;
    Object.assign(process, { getuid: undefined });
    try {
      const directory = new WorkingDirectory();
      const path = directory.path();
      expect(directory.path()).toBe(path);
      await directory.remove();
      expect(fs.existsSync(path)).toBe(false);
    } finally {
      Object.assign(process, { getuid });
    }
  });
});

test("without /proc, a lock that is not refreshed counts as stale", () => {
  const { readFileSync, readlinkSync } = fs;
  const isThere = (path: unknown) => {
    if (String(path).startsWith("/proc/")) throw new Error(`ENOENT: ${path}`);
  };
  vi.spyOn(fs, "readFileSync").mockImplementation(((path: string, ...rest: []) => {
    isThere(path);
    return readFileSync(path, ...rest);
  }) as typeof readFileSync);
  vi.spyOn(fs, "readlinkSync").mockImplementation(((path: string) => {
    isThere(path);
    return readlinkSync(path);
  }) as typeof readlinkSync);
  const home = fs.mkdtempSync(join(tmpdir(), "copilot-keyless-locks-test-"));
  const held = SessionLock.take(home, "a:session/with*signs");
  try {
    expect(held).toBeDefined();
    expect(SessionLock.take(home, "a:session/with*signs")).toBeUndefined();
    const [name = ""] = fs.readdirSync(join(home, "copilot-keyless-locks"));
    // Windows forbids these characters in file names.
    expect(name).not.toMatch(/[<>:"/\\|?*]|[. ]$/);
    const folder = join(home, "copilot-keyless-locks", name);
    const [file = ""] = fs.readdirSync(folder);
    const old = new Date(Date.now() - 120_000);
    fs.utimesSync(join(folder, file), old, old);
    const next = SessionLock.take(home, "a:session/with*signs");
    expect(next).toBeDefined();
    expect(held?.isOwn()).toBe(false);
    next?.release();
  } finally {
    held?.release();
    fs.rmSync(home, { recursive: true });
  }
});
