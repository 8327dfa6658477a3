// Replaces js/wasm/module-source.ts: the page loads the modules as files, which browsers compile
// while they arrive and which compress better than the text that the package holds.

const modules = new Map<string, WebAssembly.Module>();
const loading = new Map<string, Promise<void>>();

/** Loads a module, once. Rejects when it cannot be loaded; a later call tries again. */
export function load(url: string): Promise<void> {
  const loads = loading.get(url) ?? compiled(url).finally(() => loading.delete(url));
  loading.set(url, loads);
  return loads;
}

async function compiled(url: string): Promise<void> {
  if (!modules.has(url)) modules.set(url, await WebAssembly.compileStreaming(fetch(url)));
}

export function isLoaded(url: string): boolean {
  return modules.has(url);
}

/** A module that was loaded. */
export function moduleSource(url: string): WebAssembly.Module {
  const module = modules.get(url);
  if (module === undefined) throw new Error(`${url} is not loaded`);
  return module;
}
