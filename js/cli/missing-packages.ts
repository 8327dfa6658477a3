import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { installedVersion } from "../platform/installed.js";

/** The packages that a conversation needs and this one does not bring along. */
const NEEDED = ["@github/copilot-sdk", "@azure/identity"] as const;

/** Returns the packages that are needed and not installed. */
export function missingPackages(): string[] {
  return NEEDED.filter((name) => installedVersion(name) === undefined);
}

/**
 * Returns the command that installs packages where this command line finds them: beside it in the
 * project of the current folder, or globally. npx without an installation runs a copy in its cache,
 * which finds nothing of the project, so there the command installs this package, too.
 */
export function installCommand(names: readonly string[]): string {
  if (isLocal()) return `npm install ${names.join(" ")}`;
  const isCached = /[\\/]_npx[\\/]/.test(fileURLToPath(import.meta.url));
  return isCached
    ? `npm install copilot-keyless ${names.join(" ")}`
    : `npm install --global ${names.join(" ")}`;
}

/** Whether the project of the current folder has this very package. */
function isLocal(): boolean {
  try {
    const { resolve } = createRequire(`${process.cwd()}/`);
    const own = createRequire(import.meta.url).resolve("copilot-keyless/package.json");
    return resolve("copilot-keyless/package.json") === own;
  } catch {
    return false;
  }
}
