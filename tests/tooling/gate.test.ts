// Tests how `npm run tool gate` compares figures.

import { expect, test } from "vitest";
// @ts-expect-error It is plain JavaScript.
import { compare } from "../../benches/gate/run.mjs";

const grew = (before: object, now: object) =>
  (compare(before, now) as { figure: string; change: string; grew: boolean }[])
    .filter((row) => row.grew)
    .map(({ figure, change }) => `${figure} ${change}`);

test("a figure that is more than 3 % above the baseline is named; less is welcome", () => {
  expect(grew({ a: 1_000, b: 1_000, c: 1_000 }, { a: 1_030, b: 1_031, c: 1 })).toEqual(["b +3.1 %"]);
  expect(grew({ packages: 0 }, { packages: 1 })).toEqual(["packages +Infinity %"]);
});

test("a figure without a baseline is new, and an unchanged nothing is no growth", () => {
  expect(compare({ packages: 0 }, { packages: 0, added: 5 })).toMatchObject([
    { figure: "packages", change: "0.0 %" },
    { figure: "added", change: "new" },
  ]);
});
