/**
 * The version of a package beside this one; "" if its package.json cannot be read, undefined if it is not found. A bundler may have put
 * it elsewhere, so undefined does not mean that importing it fails.
 */
export function installedVersion(name: string): string | undefined {
  const file = resolved(name);
  if (file === undefined) return undefined;
  // Imported at the top, it would take a fifth of the time that the import of this package takes.
  const fs = globalThis.process?.getBuiltinModule?.("node:fs");
  for (let folder = new URL(".", file); ; folder = new URL("..", folder)) {
    try {
      // Exports hide it from import.
      const found = JSON.parse(fs?.readFileSync(new URL("package.json", folder), "utf8") ?? "");
      if (found.name === name) return found.version;
    } catch {
      // Not in this folder.
    }
    if (new URL("..", folder).href === folder.href) return "";
  }
}

/** Where a package's entry is, as a URL. */
function resolved(name: string): string | undefined {
  try {
    return import.meta.resolve(name);
  } catch {
    // Not there; or CommonJS, which a bundler made of this and where `import.meta` is empty.
  }
  try {
    const { createRequire } = process.getBuiltinModule("node:module");
    const { pathToFileURL } = process.getBuiltinModule("node:url");
    return pathToFileURL(createRequire(__filename).resolve(name)).href;
  } catch {
    return undefined;
  }
}
