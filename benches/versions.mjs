import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tree } from "./tree.mjs";

/** Returns the versions of installed packages by name. */
export function versionsOf(...folders) {
  const manifests = folders.map((folder) =>
    JSON.parse(readFileSync(join(tree.root, "node_modules", folder, "package.json"), "utf8")),
  );
  return Object.fromEntries(manifests.map(({ name, version }) => [name, version]));
}
