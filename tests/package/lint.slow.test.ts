// Checks the package with publint and are-the-types-wrong.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { expect, test } from "vitest";
import { installed, tarball } from "./support.js";

const folder = installed();

test("publint finds nothing", async () => {
  const pkgDir = join(folder, "node_modules/copilot-keyless");
  const { messages, pkg } = await publint({ pkgDir, strict: true, pack: false });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

test("are-the-types-wrong finds what CONTRIBUTING.md explains, and nothing else", async () => {
  const result = await checkPackage(createPackageFromTarballData(readFileSync(tarball(folder))), {
    // A file to read, not a JavaScript module.
    excludeEntrypoints: ["./component.wasm"],
  });
  const problems = result.types ? result.problems : [];
  expect(result.types).toMatchObject({ kind: "included" });
  const found = problems.map((problem) => {
    const where = "resolutionKind" in problem ? problem.resolutionKind : "";
    return `${problem.kind} ${where}`;
  });
  expect([...new Set(found)].toSorted()).toEqual(["CJSResolvesToESM node16-cjs", "NoResolution node10"]);
});
