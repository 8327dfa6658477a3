// Checks the import rule of js/: a folder imports only folders below it, and no file imports itself
// in a cycle. Type imports count.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { expect, test } from "vitest";
import { root } from "../support/process.js";

// TypeScript 7 has no compiler API.
const { default: ts } = await import("typescript-6");

/** The folders from the lowest to the highest. Folders of one level must not import each other. */
const LEVELS = [
  ["platform"],
  ["errors"],
  ["wasm"],
  ["credentials"],
  ["tokens"],
  ["model"],
  ["foundry"],
  ["copilot", "http"],
  ["blob-sessions"],
  ["chat", "client"],
  ["functions", "edge", "gateway", "hosted-agent", "cli"],
  ["telemetry"],
  ["."],
];

/** Separate folders, with their allowed imports. Only entry points import them. */
const APART: Record<string, string[]> = {
  emulator: ["wasm", "errors", "platform"],
  testing: ["errors", "platform"],
};

const levelOf = (folder: string): number => LEVELS.findIndex((level) => level.includes(folder));
const folderOf = (file: string): string => (file.includes("/") ? (file.split("/")[0] as string) : ".");

/** Whether files of one folder may import files of another. */
function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  if (from in APART) return (APART[from] as string[]).includes(to);
  if (to in APART) return from === ".";
  return levelOf(to) < levelOf(from);
}

/** The files of js/ that a file imports. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, "js", file), "utf8");
  return ts.preProcessFile(text, true, true).importedFiles.flatMap(({ fileName }) => {
    if (!fileName.startsWith(".")) return [];
    const path = posix.join(dirname(file), fileName).replace(/\.js$/, "");
    const found = [`${path}.ts`, `${path}.d.ts`].find((one) => existsSync(join(root, "js", one)));
    if (!found) throw new Error(`${file} imports ${fileName}, which does not exist`);
    return [found];
  });
}

const files = readdirSync(join(root, "js"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => name.replaceAll("\\", "/"));
const imports = new Map(files.map((file) => [file, importsOf(file)]));

test("every folder has a level", () => {
  const folders = [...new Set(files.map(folderOf))];
  expect(folders.toSorted()).toEqual([...LEVELS.flat(), ...Object.keys(APART)].toSorted());
});

test("no file imports a file of a folder above its own, or of one that stands apart", () => {
  const wrong = [...imports].flatMap(([file, imported]) =>
    imported
      .filter((other) => !mayImport(folderOf(file), folderOf(other)))
      .map((other) => `js/${file} must not import js/${other}`),
  );
  expect(wrong).toEqual([]);
});

test("no file imports itself in a circle", () => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (done.has(file) || path.includes(file)) return;
    for (const other of imports.get(file) ?? []) visit(other, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  expect(circles).toEqual([]);
});

test("entry points only re-export", () => {
  const statements = files
    .filter((file) => folderOf(file) === ".")
    .flatMap((file) => {
      const source = ts.createSourceFile(
        file,
        readFileSync(join(root, "js", file), "utf8"),
        ts.ScriptTarget.ESNext,
      );
      return source.statements.filter((statement) => !ts.isExportDeclaration(statement)).map(() => file);
    });
  // Only web.ts has code, which throws on platforms without child processes.
  expect([...new Set(statements)]).toEqual(["web.ts"]);
});
