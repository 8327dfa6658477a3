// Makes TypeDoc load TypeScript 6, because TypeScript 7 has no compiler API. For `node --import`.

import { register } from "node:module";

const url = import.meta.resolve("typescript-6");
register(
  `data:text/javascript,${encodeURIComponent(`export const resolve = (specifier, context, next) =>
    specifier === "typescript" ? { url: ${JSON.stringify(url)}, shortCircuit: true } : next(specifier, context);`)}`,
);
