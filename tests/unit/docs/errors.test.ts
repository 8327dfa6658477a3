// Checks that the documentation lists exactly the existing codes and warnings, with examples.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../support/process.js";

const page = readFileSync(join(root, "docs/reference/errors.md"), "utf8");
const documented = [...page.matchAll(/^\| `([a-z-]+(?:\/[a-z-]+)?)` \|/gm)].map(([, code]) => code as string);

/** The core's codes, from a file that a Rust test keeps current. */
const core: Record<"errors" | "diagnoses" | "credentials" | "gateway" | "notices", string[]> = JSON.parse(
  readFileSync(join(root, "tests/tables/codes.json"), "utf8"),
);

/** Returns the codes in literals of js/, without the list of all codes and keys of tables. */
function written(): string[] {
  const files = readdirSync(join(root, "js"), { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && name !== join("errors/codes.ts"),
  );
  const pattern =
    /"((?:diagnosis|agent|gateway|chat|credential|emulator|endpoint|expiry|model|policy|provider|scenario|sdk|storage|token)\/[a-z-]+)"(?!:)/g;
  return files.flatMap((name) =>
    [...readFileSync(join(root, "js", name), "utf8").matchAll(pattern)].map(([, code]) => code as string),
  );
}

/** Returns warnings that only the command line uses: `code: "..."` without a family. */
function ofTheCli(): string[] {
  const files = readdirSync(join(root, "js/cli"), { recursive: true, encoding: "utf8" });
  return files
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) =>
      [...readFileSync(join(root, "js/cli", name), "utf8").matchAll(/\bcode: "([a-z]+(?:-[a-z]+)+)"/g)].map(
        ([, code]) => code as string,
      ),
    );
}

test("docs/reference/errors.md lists every error code and warning, once each", () => {
  // `ok` is a diagnosis, but not an error.
  const diagnoses = core.diagnoses.filter((code) => code !== "ok");
  const codes = new Set([
    ...core.errors,
    ...core.gateway,
    ...written(),
    ...core.credentials,
    ...core.notices,
    ...ofTheCli(),
    ...diagnoses.map((code) => `model/${code}`),
  ]);
  expect(ofTheCli()).toContain("proxy-not-used");
  expect(diagnoses.length).toBeGreaterThan(18);
  expect(codes.size).toBeGreaterThan(80);
  expect(documented.toSorted()).toEqual([...codes].toSorted());
});

test("every code outside the generated tables has an example", () => {
  // A Rust test generates these two tables, with the examples in a column of their own.
  const byHand = page
    .split(/^## /m)
    .filter((section) => !/^(Model|Failures to get a token)\n/.test(section))
    .join("");
  const rows = byHand.split("\n").filter((line) => /^\| `/.test(line));
  expect(rows.length).toBeGreaterThan(110);
  const bare = rows.filter((row) => !/ such as (`[^`]+`|"[^|]+")/.test(row.split(" | ")[1] ?? ""));
  expect(bare).toEqual([]);
});
