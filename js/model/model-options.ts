import { type Check, type Checks, object, text } from "../errors/check.js";
import type { ModelOptions } from "../wasm/provider.js";

/** The types of the options that name a model. A function, because bundlers keep a value that a module computes. */
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

/** A text; which of these it is, the core checks. */
function choice(...texts: string[]): Check {
  return { ...text, expected: `one of ${texts.map((one) => `"${one}"`).join(", ")}` };
}
