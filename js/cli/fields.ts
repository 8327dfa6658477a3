import { KeylessError } from "copilot-keyless";

/**
 * Reads the fields of an object from an option: a JSON object, or `name=value,name=value`, where a dot
 * leads into an inner object, as in `match.body=weather`.
 *
 * @throws KeylessError `emulator/invalid-option`
 */
export function readFields(option: string, text: string): Record<string, unknown> {
  if (text.trimStart().startsWith("{")) return readJson(option, text);
  const fields: Record<string, unknown> = {};
  for (const part of text.split(",")) {
    const [, path = "", value = ""] = /^\s*([\w.]+)=(.*)$/s.exec(part) ?? [];
    const names = path.split(".");
    const last = names.pop();
    if (!last || names.includes("")) {
      throw malformed(option, `"${part}" is not name=value`);
    }
    let inner = fields;
    for (const name of names) {
      const next = Object.hasOwn(inner, name) ? inner[name] : {};
      if (typeof next !== "object" || next === null)
        throw malformed(option, `${name} has a value and fields`);
      inner[name] = next;
      inner = next as Record<string, unknown>;
    }
    inner[last] = parsed(value);
  }
  return fields;
}

function readJson(option: string, text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(option, `it is no JSON: ${(error as Error).message}`);
  }
}

function parsed(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function malformed(option: string, problem: string): KeylessError {
  return new KeylessError("emulator/invalid-option", `${option} cannot be read: ${problem}`, {
    hint: "Write name=value,name=value, or a JSON object where a value has a comma.",
  });
}
