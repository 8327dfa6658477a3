/// <reference lib="dom" />
// Tests the page in all sizes and colours; page.test.ts has two of them.

import { describe, test } from "vitest";
import { expectFits, inBrowser } from "./support.js";

const { visit } = inBrowser();

describe.each(["light", "dark"] as const)("in %s", (scheme) => {
  test.each([360, 768, 1440])("fits %i pixels and has no fault that axe finds", (width) =>
    expectFits(visit, scheme, width),
  );
});
