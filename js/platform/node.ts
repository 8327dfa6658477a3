// Node's own modules, for parts of the package that other platforms load without using them.

const load = <M>(name: string) => globalThis.process?.getBuiltinModule?.(name) as M;

export const node = {
  get fs() {
    return load<typeof import("node:fs")>("node:fs");
  },
  get os() {
    return load<typeof import("node:os")>("node:os");
  },
  get path() {
    return load<typeof import("node:path")>("node:path");
  },
};

const actions = new Set<() => void>();
let listening = false;

function doAll(): void {
  for (const action of actions) action();
}

/** Does something when the process ends by itself, unless it was called off by then. Returns the way to call it off. */
export function atExit(action: () => void): () => void {
  actions.add(action);
  if (!listening) process.once("exit", doAll);
  listening = true;
  return () => void actions.delete(action);
}
