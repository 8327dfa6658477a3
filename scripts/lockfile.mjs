// After a change of dependencies: adds to the lockfiles the optional packages for other platforms that npm left out because the
// registry in use did not offer them. Without them `npm ci` calls a lockfile incomplete.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./steps.mjs";

/** How packages name the platform that they are for, where npm has a name of its own. */
const SYSTEMS = { linuxmusl: "linux", windows: "win32" };
const CPUS = { 64: "x64", aarch64: "arm64" };

/** The end of such a package's name: system, processor and, on Linux, C library. */
const PLATFORM =
  /[/-](android|darwin|freebsd|linux|linuxmusl|openbsd|openharmony|win32|windows)-(arm64|aarch64|arm|ia32|loong64|ppc64|riscv64|s390x|x64|64)(-(?:musl|gnu|glibc)(?:eabihf)?|-eabi|-msvc)?$/;

for (const path of ["package-lock.json", "tests/runtimes/engines/package-lock.json"])
  complete(join(root, path));

function complete(path) {
  const lock = JSON.parse(readFileSync(path, "utf8"));
  const added = {};
  for (const [home, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const platform = PLATFORM.exec(name);
      if (lock.packages[`node_modules/${name}`] || !platform || !/^\d+\.\d+\.\d+$/.test(version)) continue;
      const [, system, cpu, suffix] = platform;
      const musl = suffix?.startsWith("-musl") || system === "linuxmusl";
      added[`node_modules/${name}`] = {
        version,
        cpu: [CPUS[cpu] ?? cpu],
        ...(dev ? { dev } : {}),
        ...(musl ? { libc: ["musl"] } : {}),
        optional: true,
        os: [SYSTEMS[system] ?? system],
      };
      console.log(`${name} ${version}, for ${home.replace("node_modules/", "")}`);
    }
  }
  const { "": self, ...packages } = { ...lock.packages, ...added };
  const sorted = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en")));
  lock.packages = { "": self, ...sorted };
  writeFileSync(path, `${JSON.stringify(lock, undefined, 2)}\n`);
}
