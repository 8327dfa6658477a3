// Runs workerd with a worker that is bundled from the installed package's `workerd` condition.

import { spawn } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type PluginBuild } from "esbuild";
import { newcomer, root } from "../support/process.js";
import { ENGINES, type Runner } from "./support.js";

export interface Worker {
  address: string;
  stop(): void;
}

/** A date before workers could compile WebAssembly. */
const OLD = "2024-01-01";

/** Starts a worker of tests/runtimes. `env` becomes its bindings. */
export async function startWorker(
  folder: string,
  name: string,
  env: Record<string, string> = {},
  date = OLD,
): Promise<Worker> {
  const home = join(folder, name);
  await build({
    entryPoints: [join(root, `tests/runtimes/${name}.ts`)],
    outfile: join(home, "worker.js"),
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    conditions: ["workerd"],
    loader: { ".wasm": "copy" },
    assetNames: "[name]",
    external: ["@azure/identity", "cloudflare:workers"],
    plugins: [installedPackage(folder)],
    logLevel: "warning",
  });
  writeFileSync(join(home, "config.capnp"), config(home, env, date));
  const child = spawn(join(ENGINES, ".bin/workerd"), ["serve", "--control-fd=3", "config.capnp"], {
    cwd: home,
    env: newcomer(),
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said += chunk;
  });
  const port = await new Promise<string>((resolve, reject) => {
    child.stdio[3]?.on("data", (chunk) => {
      const listens = /"port":(\d+)/.exec(String(chunk))?.[1];
      if (listens) resolve(listens);
    });
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`workerd ended with ${code}: ${said}`)));
  });
  return { address: `http://127.0.0.1:${port}/`, stop: () => child.kill() };
}

/** Configures a worker without nodejs_compat, as of a date. */
function config(home: string, env: Record<string, string>, date: string): string {
  const modules = readdirSync(home)
    .filter((name) => name.endsWith(".wasm"))
    .map((name) => `(name = "${name}", wasm = embed "${name}")`);
  const bindings = Object.entries(env).map(
    ([name, value]) => `(name = "${name}", text = ${JSON.stringify(value)})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js"), ${modules.join(", ")}],
      bindings = [${bindings.join(", ")}],
      compatibilityDate = "${date}")),
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
`;
}

/** Resolves imports of the package to the installed one. */
function installedPackage(folder: string) {
  return {
    name: "installed-package",
    setup(esbuild: PluginBuild) {
      esbuild.onResolve({ filter: /^copilot-keyless/ }, ({ path, kind, pluginData }) =>
        pluginData === folder
          ? undefined
          : esbuild.resolve(path, { kind, resolveDir: folder, pluginData: folder }),
      );
    },
  };
}

/** Runs the suite in a worker. */
export function workerd(folder: string): Runner {
  return async (settings, names) => {
    const { address, stop } = await startWorker(folder, "worker");
    try {
      const response = await fetch(address, {
        method: "POST",
        body: JSON.stringify({ settings, names }),
      });
      if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
      return (await response.json()) as Awaited<ReturnType<Runner>>;
    } finally {
      stop();
    }
  };
}
