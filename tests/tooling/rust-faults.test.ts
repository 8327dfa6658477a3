// Tests how `npm run tool rust-faults` judges and shows what the programs did.

import { expect, test } from "vitest";
// @ts-expect-error: plain Node, without types
import { CLIENTS, FAULTS, QUICK } from "../../benches/rust-faults/catalogue.mjs";
// @ts-expect-error: plain Node, without types
import { problemsOf, summaryOf } from "../../benches/rust-faults/judge.mjs";
// @ts-expect-error: plain Node, without types
import { pageOf } from "../../benches/rust-faults/table.mjs";

const served = { at: 0, ms: 12, error: null };
const failed = (at: number) => ({ at, ms: 5_000, error: "no answer within 5 s" });

test("a call is lost if it failed when it could be served", () => {
  const calls = [served, failed(6_000), failed(12_000)];
  const mustServe = (at: number) => at < 11_000;
  expect(summaryOf({ calls, identity: 2 }, { mustServe })).toMatchObject({ calls: 3, served: 1, lost: 1 });
  expect(summaryOf({ calls, identity: 2 }, {})).toMatchObject({ lost: 2, slowestMs: 12, identity: 2 });
});

test("our losses are problems, those of the others are not", () => {
  const row = { fault: "revoked", client: "reqwest", lost: 3, errors: ["401"] };
  const tokens = "copilot-keyless";
  expect(problemsOf([{ ...row, tokens: "azure_identity" }])).toEqual([]);
  expect(problemsOf([{ ...row, tokens }])).toEqual(["revoked, reqwest, copilot-keyless: 3 lost: 401"]);
  const blob = { ...row, client: "azure_storage_blob", tokens };
  expect(problemsOf([blob])).toEqual([]);
  expect(problemsOf([{ ...blob, lost: 4 }])).toHaveLength(1);
  expect(problemsOf([{ ...blob, tokens: `${tokens}, TokenPolicy` }])).toHaveLength(1);
});

test("the page has a table of four columns for each fault, and their sum", () => {
  const rows = FAULTS.flatMap(({ id }: { id: string }) =>
    Object.entries(CLIENTS as Record<string, string[]>).flatMap(([client, all]) =>
      all.map((tokens) => ({
        fault: id,
        client,
        tokens,
        ...summaryOf({ calls: [served], identity: 1 }, {}),
      })),
    ),
  );
  const machine = {
    versions: { reqwest: "1.0.0" },
    platform: "linux",
    processor: "one",
    cores: 2,
    seconds: 9,
  };
  const page: string = pageOf({ machine, rows });
  const lines = page.split("\n").filter((line) => line.startsWith("|"));
  expect(lines.every((line) => line.split(" | ").length === 4)).toBe(true);
  expect(lines).toHaveLength(5 + FAULTS.length * (2 + Object.keys(CLIENTS).length));
  expect(page).toContain(`| calls served | ${FAULTS.length * 4} of ${FAULTS.length * 4} |`);
  expect(FAULTS.map(({ id }: { id: string }) => id)).toEqual(expect.arrayContaining(QUICK));
});
