import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../scripts/steps.mjs";
import { isInstalled, NGINX_FILE } from "./gateway/proxies.mjs";
import { tree } from "./tree.mjs";

/** Returns the versions of installed packages by name. */
export function versionsOf(...folders) {
  const manifests = folders.map((folder) =>
    JSON.parse(readFileSync(join(tree.root, "node_modules", folder, "package.json"), "utf8")),
  );
  return Object.fromEntries(manifests.map(({ name, version }) => [name, version]));
}

/** Returns the versions of the peers that are no npm packages, of those which some cases run. */
export function otherVersionsOf(cases) {
  const groups = new Set(cases.flatMap(({ group = [] }) => group));
  return {
    ...(groups.has("rust") ? crates("benches/rust", "azure_core", "azure_identity") : {}),
    ...(groups.has("native") ? crates("crates/gateway", "hyper", "hyper-util") : {}),
    ...(groups.has("gateway") && isInstalled("nginx") ? printed("nginx", NGINX_FILE, "-v") : {}),
    ...(groups.has("gateway") && isInstalled("LiteLLM proxy")
      ? printed("LiteLLM", process.env.LITELLM, "--version")
      : {}),
  };
}

function crates(folder, ...names) {
  const lock = readFileSync(join(root, folder, "Cargo.lock"), "utf8");
  const versionOf = (name) => new RegExp(`^name = "${name}"\nversion = "(.+)"`, "m").exec(lock)?.[1];
  return Object.fromEntries(names.map((name) => [name, versionOf(name)]));
}

function printed(name, command, flag) {
  const { stdout = "", stderr = "" } = spawnSync(command, [flag], { encoding: "utf8" });
  return { [name]: /\d+(?:\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? "of unknown version" };
}
