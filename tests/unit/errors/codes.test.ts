// Compares the unions of codes, as the compiler reads them, with the core and the documentation.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../support/process.js";

// TypeScript 7 has no compiler API.
const { default: ts } = await import("typescript-6");

const file = join(root, "js/errors/codes.ts");

const program = ts.createProgram([file], { strict: true, noEmit: true });
const types = program.getTypeChecker();
const module = types.getSymbolAtLocation(program.getSourceFile(file) as import("typescript-6").SourceFile);

/** Returns the members of an exported union of strings. */
function union(name: string): string[] {
  const exported = module && types.getExportsOfModule(module).find((one) => one.name === name);
  if (!exported) throw new Error(`no type ${name} in ${file}`);
  const type = types.getDeclaredTypeOfSymbol(exported);
  const members = type.isUnion() ? type.types : [type];
  return members.map((one) => (one.isStringLiteral() ? one.value : types.typeToString(one))).toSorted();
}

const core = JSON.parse(readFileSync(join(root, "tests/tables/codes.json"), "utf8")) as {
  errors: string[];
  diagnoses: string[];
  credentials: string[];
};

test("CoreErrorCode has the core's codes", () => {
  expect(union("CoreErrorCode")).toEqual(core.errors.toSorted());
});

test("DiagnosisCode has the core's codes", () => {
  expect(union("DiagnosisCode")).toEqual(core.diagnoses.toSorted());
});

test("CredentialDiagnosisCode has the core's codes", () => {
  expect(union("CredentialDiagnosisCode")).toEqual(core.credentials.toSorted());
});

test("ErrorCode has the codes of docs/reference/errors.md", () => {
  const page = readFileSync(join(root, "docs/reference/errors.md"), "utf8");
  const documented = [...page.matchAll(/^\| `([a-z-]+\/[a-z-]+)` \|/gm)].map(([, code]) => code as string);
  expect(union("ErrorCode")).toEqual(documented.toSorted());
});
