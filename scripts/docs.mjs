// `npm run docs`: the reference of the TypeScript API into target/api, by TypeDoc; whatever it warns of fails. (That of the Rust crate is
// rustdoc's: `cargo doc`.)

import { register } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";
import { ifChanged, main, root, StepError, step } from "./steps.mjs";

/** The entry points, each a module of the reference. */
const ENTRIES = ["index", "core", "direct", "edge", "azure-functions", "emulator", "testing"];

/** Writes the reference, if anything that it is made of has changed. */
export function docs() {
  const inputs = [
    "js",
    "README.md",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "scripts/docs.mjs",
  ];
  return ifChanged("docs", inputs, ["target/api/index.html"], () => step("TypeDoc", reference));
}

async function reference() {
  // TypeDoc works with the compiler's API, which TypeScript 7 does not have any more: it gets the version before.
  const before = import.meta.resolve("typescript-6");
  register(
    `data:text/javascript,${encodeURIComponent(`export const resolve = (specifier, context, next) =>
      specifier === "typescript" ? { url: ${JSON.stringify(before)}, shortCircuit: true } : next(specifier, context);`)}`,
  );
  const { Application } = await import("typedoc");
  const app = await Application.bootstrapWithPlugins({
    entryPoints: ENTRIES.map((name) => `${root}/js/${name}.ts`),
    tsconfig: `${root}/tsconfig.json`,
    readme: `${root}/README.md`,
    out: `${root}/target/api`,
    name: "copilot-keyless",
    excludeInternal: true,
    excludePrivate: true,
    disableSources: true,
    hideGenerator: true,
    treatWarningsAsErrors: true,
    treatValidationWarningsAsErrors: true,
    // Told by what they are made of.
    intentionallyNotExported: [
      "js/copilot/claims-challenge.ts:Challenged",
      "js/emulator/errors.ts:RESOURCE_ERRORS",
      "js/foundry/providers.ts:SessionExtra",
    ],
    validation: { notExported: true, invalidLink: true, rewrittenLink: true },
    logLevel: "Warn",
  });
  const project = await app.convert();
  if (project) {
    app.validate(project);
    await app.generateOutputs(project);
  }
  if (!project || app.logger.hasErrors() || app.logger.hasWarnings())
    throw new StepError("TypeDoc has complaints");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    await build();
    await docs();
  });
}
