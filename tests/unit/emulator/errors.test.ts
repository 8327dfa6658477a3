// Every body of a resource's error is also in tests/tables/diagnoses.json, which says what the core makes of it.

import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { RESOURCE_ERRORS, type ResourceErrorCode, resourceError } from "../../../js/emulator/errors.js";
import diagnoses from "../../tables/diagnoses.json" with { type: "json" };

/** The details in the table. */
const DETAILS = { principal: "6fb5e9a1-2f7c-4a53-9d6c-a07f2b1d3e44", retryAfterSeconds: 12 };

const answers = diagnoses.flatMap(({ failure }) => {
  const { status, body } = failure as { status: number; body?: string };
  try {
    return [{ status, body: JSON.parse(body ?? "") as unknown }];
  } catch {
    return [{ status, body: body as unknown }];
  }
});

test.each(Object.keys(RESOURCE_ERRORS) as ResourceErrorCode[])("%s", (code) => {
  const { status, body } = resourceError(code, DETAILS);
  const same = answers.filter((row) => isDeepStrictEqual(row, { status, body }));
  expect(same, JSON.stringify(body)).not.toEqual([]);
});
