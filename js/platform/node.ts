// Node's built-in modules, loaded at the first use: other platforms import the files that use them.

const load = <M>(name: string) => globalThis.process?.getBuiltinModule?.(name) as M;

export const node = {
  get asyncHooks() {
    return load<typeof import("node:async_hooks")>("node:async_hooks");
  },
  get diagnostics() {
    return load<typeof import("node:diagnostics_channel")>("node:diagnostics_channel");
  },
  get fs() {
    return load<typeof import("node:fs")>("node:fs");
  },
  get http() {
    return load<typeof import("node:http")>("node:http");
  },
  get net() {
    return load<typeof import("node:net")>("node:net");
  },
  get os() {
    return load<typeof import("node:os")>("node:os");
  },
  get path() {
    return load<typeof import("node:path")>("node:path");
  },
  get tls() {
    return load<typeof import("node:tls")>("node:tls");
  },
};

const exitActions = new Set<() => void>();
let listening = false;

function runExitActions(): void {
  for (const action of exitActions) {
    try {
      action();
    } catch {
      // Such as a file that is in use, which Windows does not remove.
    }
  }
}

/** Runs an action when the process exits. Returns a function that cancels it. */
export function atExit(action: () => void): () => void {
  exitActions.add(action);
  if (!listening) process.once("exit", runExitActions);
  listening = true;
  return () => void exitActions.delete(action);
}

/**
 * Creates a folder and the parents that are missing. Node's own `recursive` never returns where a
 * folder cannot be created although its parent exists, such as in /proc.
 *
 * @throws the file system's error
 */
export function makeFolder(path: string, mode?: number): void {
  const { fs, path: paths } = node;
  const missing: string[] = [];
  let at = paths.resolve(path);
  while (!fs.existsSync(at) && paths.dirname(at) !== at) {
    missing.push(at);
    at = paths.dirname(at);
  }
  for (const folder of missing.reverse()) {
    try {
      fs.mkdirSync(folder, mode);
    } catch (error) {
      // Another process may have created it meanwhile.
      if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error;
    }
  }
  if (!fs.statSync(path).isDirectory()) fs.mkdirSync(path);
}
