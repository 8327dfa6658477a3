import { output } from "./steps.mjs";

/**
 * The crates of this workspace and all that they are built from, as `cargo metadata` describes them. `args`
 * chooses the platform; a dependency is followed if `follow` says so of its kinds (null: an ordinary one) and its package.
 */
export function crates(follow, args = []) {
  const { packages, resolve, workspace_members } = JSON.parse(
    output("cargo", ["metadata", "--locked", "--format-version", "1", "--all-features", ...args]),
  );
  const byId = new Map(packages.map((one) => [one.id, one]));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const seen = new Set();
  const visit = (id) => {
    if (seen.has(id)) return;
    seen.add(id);
    for (const { pkg, dep_kinds } of nodes.get(id).deps) {
      const kinds = dep_kinds.map(({ kind }) => kind);
      if (follow(kinds, byId.get(pkg))) visit(pkg);
    }
  };
  workspace_members.forEach(visit);
  return [...seen].map((id) => byId.get(id));
}

/** The crates that are compiled into the WebAssembly modules. Macros run in the compiler. */
export function compiledCrates() {
  const isMacro = ({ targets }) => targets.some(({ kind }) => kind.includes("proc-macro"));
  return crates(
    (kinds, one) => kinds.includes(null) && !isMacro(one),
    ["--filter-platform", "wasm32-unknown-unknown"],
  ).filter(({ source }) => source !== null);
}
