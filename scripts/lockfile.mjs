// After a change of dependencies: adds to package-lock.json the optional packages for other platforms that npm left out
// because the registry in use did not offer them. Without them `npm ci` calls the lockfile incomplete.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./steps.mjs";

const path = join(root, "package-lock.json");
const lock = JSON.parse(readFileSync(path, "utf8"));
const added = {};

/** The end of such a package's name: system, processor and, on Linux, C library. */
const PLATFORM =
  /-(android|darwin|freebsd|linux|linuxmusl|openbsd|openharmony|win32)-(arm64|arm|ia32|loong64|ppc64|riscv64|s390x|x64)(-(?:musl|gnu)(?:eabihf)?|-eabi|-msvc)?$/;

for (const [home, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const platform = PLATFORM.exec(name);
    if (lock.packages[`node_modules/${name}`] || !platform || !/^\d+\.\d+\.\d+$/.test(version)) continue;
    const [, system, cpu, suffix] = platform;
    const musl = suffix?.startsWith("-musl") || system === "linuxmusl";
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
