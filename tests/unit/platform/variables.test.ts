// Compares the lists of variables here with the core's, from tests/tables/variables.json.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { coreEnvironment, SECRET_VARIABLES, secretsIn } from "../../../js/platform/environment.js";

const rows: { name: string; visibility: "value" | "presence" | "leads-to-secret" | "secret" }[] = JSON.parse(
  readFileSync(new URL("../../tables/variables.json", import.meta.url), "utf8"),
);

test.each(rows)("$name: $visibility", ({ name, visibility }) => {
  const env = { [name]: "pl4nted-value" };
  expect(coreEnvironment(env, "linux")).toEqual({ [name]: visibility === "value" ? "pl4nted-value" : "set" });
  expect(SECRET_VARIABLES.test(name)).toBe(visibility === "secret" || visibility === "leads-to-secret");
  expect(secretsIn(env)).toEqual(visibility === "secret" ? ["pl4nted-value"] : []);
});

test("every kind of variable is in the table", () => {
  const kinds = new Set(rows.map(({ visibility }) => visibility));
  expect([...kinds].toSorted()).toEqual(["leads-to-secret", "presence", "secret", "value"]);
});
