// `npm run tool lockfile`, after a change of dependencies: adds the optional packages for other platforms that npm left out because
// the registry in use did not offer them. Without them `npm ci` fails on those platforms.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { output, root } from "./steps.mjs";

const PLATFORM =
  /[/-](android|darwin|freebsd|linux|linuxmusl|openbsd|openharmony|win32|windows)-(\w+?)(-(?:musl|gnu|glibc)(?:eabihf)?|-eabi|-msvc)?$/;
/** How packages name a platform for which npm has a name of its own. */
const NAMES = { linuxmusl: "linux", windows: "win32", 64: "x64", aarch64: "arm64" };

for (const path of output("git", ["ls-files", "*package-lock.json"]).split("\n")) {
  const lock = JSON.parse(readFileSync(join(root, path), "utf8"));
  for (const { optionalDependencies = {}, dev } of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const [, os, cpu, suffix] = PLATFORM.exec(name) ?? [];
      if (!os || lock.packages[`node_modules/${name}`] || !/^\d+\.\d+\.\d+$/.test(version)) continue;
      const musl = suffix?.startsWith("-musl") || os === "linuxmusl" ? { libc: ["musl"] } : {};
      const platform = { cpu: [NAMES[cpu] ?? cpu], ...musl, os: [NAMES[os] ?? os] };
      lock.packages[`node_modules/${name}`] = { version, optional: true, ...(dev && { dev }), ...platform };
      console.log(`${path}: ${name} ${version}`);
    }
  }
  lock.packages = Object.fromEntries(
    Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en")),
  );
  writeFileSync(join(root, path), `${JSON.stringify(lock, undefined, 2)}\n`);
}
