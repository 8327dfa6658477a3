/**
 * Finds the installed version of a package that this one can import. Returns "" if its package.json
 * cannot be read, and undefined if the package is not found. A bundler may have put it elsewhere,
 * so undefined does not mean that importing it fails.
 */
export function installedVersion(name: string): string | undefined {
  const file = resolveEntry(name);
  if (file === undefined) return undefined;
  // A static import of node:fs would take a fifth of this package's import time.
  const fs = globalThis.process?.getBuiltinModule?.("node:fs");
  for (let folder = new URL(".", file); ; folder = new URL("..", folder)) {
    try {
      // Read as a file: `exports` often hides package.json from import.
      const manifest = JSON.parse(fs?.readFileSync(new URL("package.json", folder), "utf8") ?? "");
      if (manifest.name === name) return manifest.version;
    } catch {
      // Not in this folder.
    }
    if (new URL("..", folder).href === folder.href) return "";
  }
}

/** Resolves a package's entry file, as a URL. */
function resolveEntry(name: string): string | undefined {
  try {
    return import.meta.resolve(name);
  } catch {
    // Not found, or a bundler turned this file into CommonJS, where `import.meta` is empty.
  }
  try {
    const { createRequire } = process.getBuiltinModule("node:module");
    const { pathToFileURL } = process.getBuiltinModule("node:url");
    return pathToFileURL(createRequire(__filename).resolve(name)).href;
  } catch {
    return undefined;
  }
}
