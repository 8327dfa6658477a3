import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, inject } from "vitest";
import { root } from "../support/process.js";

/**
 * Copies the installed package into a new folder. The project's set-up has packed and installed it.
 */
export function installed(): string {
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-user-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  // Keep links relative, so that those of .bin lead to this copy.
  cpSync(inject("installation"), folder, { recursive: true, verbatimSymlinks: true });
  return folder;
}

/** Returns the path of the packed file in a folder from {@link installed}. */
export function tarball(folder: string): string {
  const name = readdirSync(folder).find((file) => file.endsWith(".tgz"));
  return join(folder, name as string);
}

/** Links packages that are installed in `home`, instead of downloading them. */
export function linkPackages(folder: string, names: readonly string[], home: string = root): void {
  for (const name of names) {
    const scope = name.includes("/") ? name.slice(0, name.indexOf("/")) : "";
    mkdirSync(join(folder, "node_modules", scope), { recursive: true });
    symlinkSync(join(home, "node_modules", name), join(folder, "node_modules", name));
  }
}

/** Every file of the installed package, sorted. */
export function packageFiles(folder: string): string[] {
  const home = join(folder, "node_modules/copilot-keyless");
  return readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(home.length + 1)
        .replaceAll("\\", "/"),
    )
    .sort();
}
