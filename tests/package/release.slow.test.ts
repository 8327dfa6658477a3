// Tests what only the publishable build has: the optimized modules, the component and the licences.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newcomer, run } from "../support/process.js";
import { compiledCrates, inlinedModules, MODULES, moduleBytes } from "./release.js";
import { installed, packageFiles } from "./support.js";

const folder = installed();
const home = join(folder, "node_modules/copilot-keyless");

test("holds what tests/package/files.txt lists and nothing else, and no dependencies", async () => {
  // The names of shared chunks end in a hash of their content.
  const list = packageFiles(folder).map((path) =>
    path.replace(/^(dist\/(?:chunks|cli|workerd)\/[\w-]+)-[\w-]{8}\.js$/, "$1-*.js"),
  );
  await expect(`${list.join("\n")}\n`).toMatchFileSnapshot("files.txt");
  const { dependencies, scripts } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  expect(dependencies).toBeUndefined();
  expect(Object.keys(scripts).filter((name) => /install/.test(name))).toEqual([]);
});

test("each WebAssembly module is in it once deflated and inlined, once as a file for workerd, and the component is a file", () => {
  const names = Object.keys(MODULES).toSorted();
  expect(inlinedModules(home)).toEqual(names);
  const files = packageFiles(folder).filter((path) => path.endsWith(".wasm"));
  // No entry point for workerd keeps conversations.
  const forWorkerd = names.filter((name) => name !== "lease");
  expect(files).toEqual(["dist/component.wasm", ...forWorkerd.map((name) => `dist/workerd/${name}.wasm`)]);
  for (const name of forWorkerd)
    expect(readFileSync(join(home, `dist/workerd/${name}.wasm`)).equals(moduleBytes(name)), name).toBe(true);
});

test("the licences of all that is bundled or compiled in come along", () => {
  const text = readFileSync(join(home, "dist/THIRD-PARTY-LICENSES.txt"), "utf8");
  for (const { name, version } of compiledCrates())
    expect(text).toContain(`${name} ${version}, a Rust crate (`);
  for (const name of ["commander", "fflate", "jose", "std"])
    expect(text).toMatch(new RegExp(`^${name} [\\d.]+`, "m"));
  for (const word of ["Permission is hereby granted", "Apache License", "UNICODE LICENSE V3"])
    expect(text).toContain(word);
});

test("the network module is loaded at the first probe, not before", async () => {
  const hooks = `import { writeSync } from "node:fs";
    export function load(url, context, next) {
      if (url.includes("copilot-keyless/dist")) writeSync(1, url + "\\n");
      return next(url, context);
    }`;
  const program = `import { register } from "node:module";
     import { writeSync } from "node:fs";
     register("data:text/javascript," + encodeURIComponent(${JSON.stringify(hooks)}));
     await import("copilot-keyless");
     await import("copilot-keyless/core");
     const { probe } = await import("copilot-keyless/direct");
     writeSync(1, "imported\\n");
     const { code } = await probe({ endpoint: "https://nothing.invalid/v1" });
     writeSync(1, "probed: " + code + "\\n");`;
  const args = ["--input-type=module", "--eval", program];
  const result = await run(process.execPath, args, { env: newcomer(), cwd: folder });
  expect(result.stderr).toBe("");
  const [before, after] = result.stdout.split("imported\n");
  expect(before).toContain("dist/direct.js");
  expect(before).not.toContain("net-bindings");
  expect(after).toMatch(/^\S+\/dist\/chunks\/net-bindings-[\w-]+\.js\nprobed: network\n$/);
});
