// The policy fields of TypeScript, of the component's interface and of the documentation are the core's, with its defaults.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createBearerTokenProvider } from "copilot-keyless";
import { expect, test } from "vitest";
import { root } from "../../support/process.js";
import { thrown } from "../../support/tables.js";
import core from "../../tables/policy.json" with { type: "json" };

// TypeScript 7 has no API of the compiler.
const { default: ts } = await import("typescript-6");

const names = core.map(({ name }) => name);
const defaults = Object.fromEntries(core.map((field) => [field.name, field.default]));

/** What a text says after "Default", as a number. */
const defaultIn = (text: string): number =>
  Number(/\bDefault\s+(?:\/\/\/\s+)?([\d,]+)/.exec(text)?.[1]?.replaceAll(",", ""));

test("RefreshPolicy of TypeScript", () => {
  const file = join(root, "js/wasm/types/token.ts");
  const program = ts.createProgram([file], { strict: true, noEmit: true });
  const types = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source && types.getSymbolAtLocation(source);
  const policy = module && types.getExportsOfModule(module).find(({ name }) => name === "RefreshPolicy");
  const fields = policy ? types.getPropertiesOfType(types.getDeclaredTypeOfSymbol(policy)) : [];
  const documented = fields.map((field) => [
    field.name,
    defaultIn(ts.displayPartsToString(field.getDocumentationComment(types))),
  ]);
  expect(Object.fromEntries(documented)).toEqual(defaults);
});

test("the fields that a token provider accepts, and the least value of each", () => {
  const create = (policy: object) => () => {
    const credential = { getToken: () => Promise.reject(new Error("not called")) };
    createBearerTokenProvider(credential, "https://ai.azure.com/.default", { policy }).close();
  };
  const listed = thrown(create({ unknown: 1 })).hint?.match(/\w+Ms\b/g);
  expect(listed?.toSorted()).toEqual(names.toSorted());
  for (const { name, least } of core) {
    expect(create({ retryMinMs: 1, [name]: least }), name).not.toThrow();
    expect(create({ retryMinMs: 1, [name]: least - 1 }), name).toThrow(`from ${least} to`);
  }
});

test("record refresh-policy of wit/", () => {
  const wit = readFileSync(join(root, "wit/copilot-keyless.wit"), "utf8");
  const [, record = ""] = /record refresh-policy \{([^}]*)\}/.exec(wit) ?? [];
  const fields = [...record.matchAll(/((?:\s*\/\/\/.*\n)+)\s*([a-z-]+): option<millis>,/g)];
  const documented = fields.map(([, text = "", name = ""]) => [
    name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    defaultIn(text),
  ]);
  expect(Object.fromEntries(documented)).toEqual(defaults);
});

test("the table of docs/reference/options.md", () => {
  const page = readFileSync(join(root, "docs/reference/options.md"), "utf8");
  const [, table = ""] = /\| policy field \|.*\n\| --- .*\n((?:\|.*\n)+)/.exec(page) ?? [];
  const documented = [...table.matchAll(/^\| (.+?) \| (.+?) \|/gm)].flatMap(
    ([, fields = "", values = ""]) => {
      const numbers = values.split(", ").map((value) => Number(value.replaceAll(",", "")));
      return fields.split(", ").map((field, index) => [field.replaceAll("`", ""), numbers[index]]);
    },
  );
  expect(Object.fromEntries(documented)).toEqual(defaults);
});
