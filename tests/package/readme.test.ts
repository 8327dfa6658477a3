// Reads the README as a user of the package does: from the packed file, in a folder with nothing
// else.

import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { startEmulator } from "copilot-keyless/emulator";
import { expect, test } from "vitest";
import { newcomer, run } from "../support/process.js";
import { installed, linkPackages, packageFiles } from "./support.js";

const folder = installed();
const home = join(folder, "node_modules/copilot-keyless");
const readme = readFileSync(join(home, "README.md"), "utf8");
const npx = (...args: string[]) => run(process.execPath, [join(home, "dist/cli.cjs"), ...args], user());
const user = () => ({ env: newcomer(), cwd: folder });

const pages = packageFiles(folder).filter((path) => path.endsWith(".md"));

test.each(pages)("every link of %s leads to a file of the package", (page) => {
  const text = readFileSync(join(home, page), "utf8").replace(/^```.*?^```$/gms, "");
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link as string);
  if (page === "README.md") expect(links.length).toBeGreaterThan(20);
  const broken = links.filter((link) => {
    if (/^(?:https:|#)/.test(link)) return false;
    const target = relative(home, join(home, dirname(page), link.split("#")[0] as string));
    return target.startsWith("..") || !existsSync(join(home, target));
  });
  expect(broken).toEqual([]);
});

test("the first commands are those of a user, who has no clone", () => {
  const [first] = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, code]) => code);
  expect(first?.trim().split("\n")).toEqual([
    "npm install copilot-keyless @github/copilot-sdk @azure/identity",
    "npx copilot-keyless chat --demo",
  ]);
});

test("npx copilot-keyless alone says what to install and what to try", async () => {
  const { stdout, stderr, code } = await npx();
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Usage: copilot-keyless /);
  expect(stdout).toMatch(
    /^ {2}Install what a chat needs +npm install @github\/copilot-sdk @azure\/identity$/m,
  );
  expect(stdout).toMatch(/^ {2}Chat without Azure +npx copilot-keyless chat --demo$/m);
});

test("a chat without the other packages names all of them in one command", async () => {
  const { stdout, stderr, code } = await npx("chat", "--demo");
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain("✗ @github/copilot-sdk is not installed (sdk/not-installed)");
  expect(stderr).toContain("Run `npm install @github/copilot-sdk @azure/identity`, then this command again.");
});

test.each([
  ["from npx's cache, the package too", "_npx/0123/node_modules", "npm install copilot-keyless @github"],
  ["from a global installation, globally", "lib/node_modules", "npm install --global @github"],
])("outside of a project: %s", async (_, modules, command) => {
  const elsewhere = installed();
  const copy = join(elsewhere, modules, "copilot-keyless");
  cpSync(join(elsewhere, "node_modules/copilot-keyless"), copy, { recursive: true });
  rmSync(join(elsewhere, "node_modules"), { recursive: true });
  const { stdout } = await run(process.execPath, [join(copy, "dist/cli.cjs")], {
    env: newcomer(),
    cwd: elsewhere,
  });
  expect(stdout).toContain(`${command}/copilot-sdk @azure/identity\n`);
});

test("the program runs as it stands, under the name that the README gives it", async () => {
  linkPackages(folder, ["@azure", "@github"]);
  const [, name] = /save this as `([\w.]+)` and run `node \1`/.exec(readme) ?? [];
  const [, code] = /^```js\n(.*?)^```$/ms.exec(readme) ?? [];
  expect(code?.trim().split("\n").length).toBeLessThanOrEqual(11);
  await using emulator = await startEmulator({ chunkDelayMs: 0 });
  writeFileSync(join(folder, name as string), code as string);
  const program = { env: newcomer({ ...emulator.env }), cwd: folder };
  const result = await run(process.execPath, [name as string], program);
  expect(result).toMatchObject({ code: 0, stderr: "" });
  expect(result.stdout).toContain("Explain managed identities");
  expect(emulator.counts).toMatchObject({ identity: 1, foundry: 1, unauthorized: 0 });
});
