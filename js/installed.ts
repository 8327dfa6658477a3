import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The version of a package that this one can import; "" where its package.json cannot be read, undefined if there is none. */
export function installedVersion(name: string): string | undefined {
  let file: string;
  try {
    file = fileURLToPath(import.meta.resolve(name));
  } catch {
    return undefined;
  }
  for (let folder = dirname(file); dirname(folder) !== folder; folder = dirname(folder)) {
    try {
      // Exports hide it from import.
      const found = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      if (found.name === name) return found.version;
    } catch {
      // Not in this folder.
    }
  }
  return "";
}
