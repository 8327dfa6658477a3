import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Returns the versions of installed packages by name. ".." is this package. */
export function versionsOf(...folders) {
  const manifests = folders.map((folder) =>
    JSON.parse(readFileSync(join(import.meta.dirname, "../node_modules", folder, "package.json"), "utf8")),
  );
  return Object.fromEntries(manifests.map(({ name, version }) => [name, version]));
}
