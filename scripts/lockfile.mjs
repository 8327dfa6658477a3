// After a change of dependencies: adds to package-lock.json the optional packages for other platforms that npm left out
// because the registry in use did not offer them. Without them `npm ci` calls the lockfile incomplete.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./steps.mjs";

const path = join(root, "package-lock.json");
const lock = JSON.parse(readFileSync(path, "utf8"));
const added = {};

for (const [home, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const platform = /-(android|darwin|linux|linuxmusl|win32)-(arm64|x64)(-musl)?$/.exec(name);
    if (lock.packages[`node_modules/${name}`] || !platform || !/^\d+\.\d+\.\d+$/.test(version)) continue;
    const [, system, cpu, suffix] = platform;
    const musl = suffix !== undefined || system === "linuxmusl";
    added[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      ...(dev ? { dev } : {}),
      ...(musl ? { libc: ["musl"] } : {}),
      optional: true,
      os: [system === "linuxmusl" ? "linux" : system],
    };
    console.log(`${name} ${version}, for ${home.replace("node_modules/", "")}`);
  }
}

const { "": self, ...packages } = { ...lock.packages, ...added };
const sorted = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en")));
lock.packages = { "": self, ...sorted };
writeFileSync(path, `${JSON.stringify(lock, undefined, 2)}\n`);
