import type { FoundryProvider } from "../foundry/provider.js";
import { chatError, unknownModel } from "../http/problem.js";

/** The model of a new conversation: the one that the caller wants, or the first. */
export function chosenModel(models: ReadonlyMap<string, FoundryProvider>, wanted: string | undefined) {
  const [first = ""] = models.keys();
  const name = wanted ?? first;
  const provider = models.get(name);
  if (!provider) throw unknownModel(models.keys());
  return { name, provider };
}

/** @throws KeylessError `chat/model-mismatch` if the caller wants another model than that of the conversation */
export function checkSameModel(model: string, wanted: string | undefined): void {
  if (wanted === undefined || wanted === model) return;
  throw chatError(
    "chat/model-mismatch",
    400,
    `This conversation is with ${model}`,
    "Start a new one for another model.",
  );
}
