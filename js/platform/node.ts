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
