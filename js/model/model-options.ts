import { type Check, type Checks, object, text } from "../errors/check.js";
import type { ModelOptions } from "../wasm/types/provider.js";

/**
 * Returns the type checks of the options that select a model. A function, because bundlers keep a
 * value that a module computes.
 */
export function modelChecks(): Checks<ModelOptions> {
  return {
    model: text,
    deployment: text,
    type: choice("openai", "azure", "anthropic"),
    wireApi: choice("responses", "completions"),
    apiVersion: text,
    headers: object,
  };
}

export const TRANSPORT: Check = {
  expected: 'one of "http", "websockets"',
  fits: (value) => typeof value === "string",
};

/** Checks for a string. The core checks that it is one of these. */
function choice(...values: string[]): Check {
  return { ...text, expected: `one of ${values.map((value) => `"${value}"`).join(", ")}` };
}
