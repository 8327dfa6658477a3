// Checks that each public item of the crate for tokio has an example. rustdoc counts no methods.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../support/process.js";

const folder = join(root, "crates/tokio/src");
const ITEM = /^ *pub (?:async |const )?(?:fn|struct|enum|trait|type) (\w+)/;

/** Returns the public items of a file with their documentation. */
function itemsOf(text: string) {
  const items: { name: string; doc: string }[] = [];
  let doc = "";
  for (const line of text.split("\n")) {
    if (/^ *\/\/\/ ?/.test(line)) doc += `${line}\n`;
    else if (!/^ *#\[/.test(line)) {
      const [, name] = ITEM.exec(line) ?? [];
      if (name) items.push({ name, doc });
      doc = "";
    }
  }
  return items;
}

const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".rs"),
);
const items = files.flatMap((file) =>
  itemsOf(readFileSync(join(folder, file), "utf8")).map((item) => ({ file, ...item })),
);

test("each public item of the crate for tokio has an example", () => {
  expect(items.length).toBeGreaterThan(70);
  const without = items.filter(({ doc }) => !doc.includes("/// ```"));
  expect(without.map(({ file, name }) => `${file}: ${name}`)).toEqual([]);
});
